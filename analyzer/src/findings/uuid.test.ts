import { createHash } from "node:crypto"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { sha1 } from "./sha1.js"
import { nameId } from "./uuid.js"

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const bytes = (text: string) => new TextEncoder().encode(text)

describe("sha1", () => {
  // RFC 3174 7.3, TEST1 to TEST4.
  it.each([
    ["abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"],
    ["a", 1_000_000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"],
    [
      "0123456701234567012345670123456701234567012345670123456701234567",
      10,
      "dea356a2cddd90c7a7ecedc5ebb563934f460452",
    ],
  ])("%s, %i times", (text, times, digest) => {
    expect(hex(sha1(bytes(text.repeat(times))))).toBe(digest)
  })

  it("agrees with another one for every length around a block", () => {
    for (let length = 0; length < 200; length++) {
      const message = new Uint8Array(length).fill(length)
      expect(hex(sha1(message))).toBe(createHash("sha1").update(message).digest("hex"))
    }
  })
})

/** UUIDv5 (RFC 9562 5.5) by another implementation of SHA-1; ids of old findings depend on the name space. */
function referenceId(...parts: readonly string[]): string {
  const space = Buffer.from("b5f7c1d23a645e0b9c1f7d20a8e4f613", "hex")
  const digest = createHash("sha1").update(space).update(JSON.stringify(parts)).digest()
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6)
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8)
  return digest.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}

describe("ids", () => {
  it("are of version 5, in one name space that never changes", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" }), { maxLength: 4 }), (parts) => {
        expect(nameId(...parts)).toBe(referenceId(...parts))
      }),
    )
    expect(nameId("a")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it("tell apart what differs in any part, and where one part ends", () => {
    const parts = fc.array(fc.string(), { maxLength: 4 })
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(nameId(...a) === nameId(...b)).toBe(JSON.stringify(a) === JSON.stringify(b))
      }),
    )
  })
})
