import { expect, it } from "vitest"
import { collectorArguments } from "./collector-arguments.js"

const open = { address: undefined, tls: undefined, tokenFile: undefined }
const tls = { certFile: "/c", keyFile: "/k", clientCaFile: undefined }

it.each([
  ["unix:/run/c.sock", open, ["--analyzer", "unix:/run/c.sock"]],
  ["127.0.0.1:41", open, ["--analyzer", "http://127.0.0.1:41"]],
  ["[::1]:41", { ...open, tokenFile: "/t" }, ["--analyzer", "http://[::1]:41", "--token-file", "/t"]],
  [
    "0.0.0.0:41",
    { ...open, tls, tokenFile: "/t" },
    ["--analyzer", "https://127.0.0.1:41", "--ca", "/c", "--token-file", "/t"],
  ],
  ["[::]:41", { ...open, tls }, ["--analyzer", "https://[::1]:41", "--ca", "/c"]],
])("an analyzer on %s is reached from the same host", (address, listen, expected) => {
  expect(collectorArguments(address, listen)).toEqual(expected)
})

it("a certificate that only other collectors have is an error", () => {
  const listen = { ...open, tls: { ...tls, clientCaFile: "/ca" } }
  expect(() => collectorArguments("127.0.0.1:41", listen)).toThrow(expect.objectContaining({ code: "config" }))
})
