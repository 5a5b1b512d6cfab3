import { describe, expect, it } from "vitest"
import { NativeBlock } from "./native-block.js"

function written(write: (block: NativeBlock) => void): number[] {
  const block = new NativeBlock(1, 2)
  write(block)
  return [...block.bytes.subarray(2)]
}

describe("NativeBlock", () => {
  it("begins with the numbers of columns and rows", () => {
    expect([...new NativeBlock(43, 20_000).bytes]).toEqual([43, 0xa0, 0x9c, 0x01])
  })

  it.each([
    ["uint8", (block: NativeBlock) => block.uint8(0x1ff), [0xff]],
    ["uint16", (block: NativeBlock) => block.uint16(0x1234), [0x34, 0x12]],
    ["uint32", (block: NativeBlock) => block.uint32(0xfedcba98), [0x98, 0xba, 0xdc, 0xfe]],
    ["uint64", (block: NativeBlock) => block.uint64(Number.MAX_SAFE_INTEGER), [255, 255, 255, 255, 255, 255, 31, 0]],
    ["uint64 of 2^32", (block: NativeBlock) => block.uint64(2 ** 32), [0, 0, 0, 0, 1, 0, 0, 0]],
    ["bigUint64", (block: NativeBlock) => block.bigUint64(2n ** 64n - 1n), Array.from({ length: 8 }, () => 255)],
    ["text", (block: NativeBlock) => block.text("é"), [2, 0xc3, 0xa9]],
    ["text with half of a surrogate pair", (block: NativeBlock) => block.text("\ud800"), [3, 0xef, 0xbf, 0xbd]],
    [
      "address",
      (block: NativeBlock) => block.address("1.2.3.4"),
      [...Array.from({ length: 10 }, () => 0), 255, 255, 1, 2, 3, 4],
    ],
    ["address that is none", (block: NativeBlock) => block.address("host"), Array.from({ length: 16 }, () => 0)],
  ])("writes %s", (_what, write, expected) => {
    expect(written(write)).toEqual(expected)
  })

  it("grows, also for texts longer than it was", () => {
    const long = "x".repeat(200_000)
    const bytes = written((block) => {
      block.text(long)
      block.text(long)
    })
    expect(bytes).toHaveLength(2 * (3 + 200_000))
    expect(bytes.slice(0, 4)).toEqual([0xc0, 0x9a, 0x0c, 0x78])
    expect(bytes.at(-1)).toBe(0x78)
  })
})
