import { expect, it } from "vitest"
import { hrefOf, parseAddress } from "./route.js"

it.each([
  ["", "incidents", undefined],
  ["#/", "incidents", undefined],
  ["#token=abc", "incidents", "abc"],
  ["#/?token=a%2Bc", "incidents", "a+c"],
  ["#/outbound?token=t", "outbound", "t"],
  ["#/health", "health", undefined],
  ["#/health/more", "unknown", undefined],
  ["#/elsewhere", "unknown", undefined],
])("%j leads to %s", (hash, view, token) => {
  expect(parseAddress(hash)).toMatchObject({ route: { view }, token })
})

it("finds incidents and findings by their id, and back", () => {
  for (const route of [{ view: "incident", id: "7f-1" } as const, { view: "finding", id: "7f-2" } as const]) {
    expect(parseAddress(`${hrefOf(route)}?token=t`)).toEqual({ route, token: "t" })
  }
})
