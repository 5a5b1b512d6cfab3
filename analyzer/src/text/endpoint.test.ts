import { expect, it } from "vitest"
import { endpointText } from "./endpoint.js"

it.each([
  [{ address: "203.0.113.9", port: 443 }, "203.0.113.9:443"],
  [{ address: "2001:db8::1", port: 22 }, "[2001:db8::1]:22"],
])("endpointText shows %j as %s", (endpoint, expected) => {
  expect(endpointText(endpoint)).toBe(expected)
})

it("is the address alone where there are no ports", () => {
  expect(endpointText({ address: "2001:db8::1", port: 0 })).toBe("2001:db8::1")
})
