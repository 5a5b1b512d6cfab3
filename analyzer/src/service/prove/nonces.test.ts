import { expect, it } from "vitest"
import { aHost } from "../../testing/hosts.js"
import { Nonces } from "./nonces.js"

const nonces = new Nonces("a key")

it("knows what it issued, also after a restart", () => {
  const nonce = nonces.issue(aHost())
  expect(nonce).toMatch(/^[0-9a-f]{16}$/)
  expect(new Nonces("a key").isOurs(aHost(), nonce)).toBe(true)
})

it.each([
  ["another key", new Nonces("another"), aHost()],
  ["another run of the collector", nonces, aHost({ instance: "8" })],
  ["another boot", nonces, aHost({ bootId: "0b5e55ed-0000-4000-8000-000000000000" })],
  ["another host", nonces, aHost({ hostId: "host-b" })],
] as const)("takes no nonce of %s", (_, issuer, host) => {
  expect(nonces.isOurs(aHost(), issuer.issue(host))).toBe(false)
})

it("takes no nonce that a byte was changed in", () => {
  const nonce = nonces.issue(aHost())
  const changed = nonce.replace(/^./, (digit) => (digit === "0" ? "1" : "0"))
  expect([changed, nonce.slice(0, -1), ""].map((one) => nonces.isOurs(aHost(), one))).toEqual([false, false, false])
})
