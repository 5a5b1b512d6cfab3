import { describe, expect, it } from "vitest"
import { countVarints, readVarints } from "./columns.js"
import { WireError, WireReader } from "./wire-reader.js"

const hex = (digits: string) => Uint8Array.from(Buffer.from(digits.replaceAll(" ", ""), "hex"))

/** Field numbers that a reader stops at, skipping all values. */
function fields(digits: string): number[] {
  const reader = new WireReader(hex(digits))
  const seen: number[] = []
  while (reader.next()) {
    seen.push(reader.field)
    reader.skip()
  }
  return seen
}

describe("WireReader", () => {
  it("skips every wire type that is still in use", () => {
    expect(fields("08 96 01  11 0102030405060708  1a 02 ffff  25 01020304  28 00")).toEqual([1, 2, 3, 4, 5])
  })

  it.each([
    ["a span that runs past the end", "0a 05 01 02"],
    ["a length beyond any message", "0a ff ff ff ff ff ff ff ff ff 01"],
    ["a varint without end", "08 ff ff"],
    ["a varint of eleven bytes", "08 80 80 80 80 80 80 80 80 80 80 01"],
    ["eight bytes that are seven", "09 01 02 03 04 05 06 07"],
    ["four bytes that are three", "0d 01 02 03"],
    ["a group", "0b 0c"],
    ["field number 0", "00 01"],
    ["a tag beyond 32 bits", "80 80 80 80 10 01"],
  ])("refuses %s", (_, digits) => {
    expect(() => fields(digits)).toThrow(WireError)
  })

  it("refuses a value of another wire type than the schema's", () => {
    const reader = new WireReader(hex("08 01"))
    reader.next()
    expect(() => reader.span()).toThrow("field 1 has wire type 0, not bytes")
    const other = new WireReader(hex("0a 00"))
    other.next()
    expect(() => other.unsigned()).toThrow("field 1 has wire type 2, not varint")
  })

  it("reads varints exactly up to 2^53", () => {
    expect(new WireReader(hex("ff ff ff ff ff ff ff 0f")).varint()).toBe(Number.MAX_SAFE_INTEGER)
    expect(new WireReader(hex("ff ff ff ff ff ff ff ff ff 01")).varint()).toBe(2 ** 64)
  })
})

describe("columns", () => {
  const column = (digits: string) => ({ bytes: hex(digits), start: 0, end: hex(digits).length })

  it("count values without making them", () => {
    expect(countVarints(column("00 96 01 ff ff 03"))).toBe(3)
    expect(() => countVarints(column("00 96"))).toThrow("ends within a varint")
  })

  it.each([
    ["more values than asked for", "01 02 03", 2],
    ["fewer values than asked for", "01", 2],
    ["a value of eleven bytes", "80 80 80 80 80 80 80 80 80 80 01", 1],
  ])("refuse %s", (_, digits, count) => {
    expect(() => readVarints(column(digits), new Float64Array(count))).toThrow(WireError)
  })
})
