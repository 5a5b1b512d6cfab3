import { describe, expect, it } from "vitest"
import { formatPrefix } from "../testing/prefixes.js"
import fc from "fast-check"
import { formatAddress, isWithin, parseAddress, parsePrefix } from "./address.js"

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"))

describe("formatAddress", () => {
  it.each([
    ["v4-mapped", "00000000 00000000 0000ffff c0000201", "192.0.2.1"],
    ["loopback", "00000000 00000000 00000000 00000001", "::1"],
    ["unspecified", "00000000 00000000 00000000 00000000", "::"],
    ["the longest run is shortened", "20010db8 00000001 00000000 00000001", "2001:db8:0:1::1"],
    ["the first of equal runs is shortened", "20010db8 00000000 00010001 00000000", "2001:db8::1:1:0:0"],
    ["a single zero group stays", "20010db8 00000001 00010001 00010001", "2001:db8:0:1:1:1:1:1"],
    ["a run at the end", "fe800000 00000000 00000000 00000000", "fe80::"],
    ["v4-compatible is not v4-mapped", "00000000 00000000 00000000 c0000201", "::c000:201"],
  ])("%s", (_, bytes, text) => {
    expect(formatAddress(hex(bytes))).toBe(text)
  })

  it("reads at an offset", () => {
    expect(formatAddress(hex("ffff 00000000 00000000 0000ffff 7f000001"), 2)).toBe("127.0.0.1")
  })
})

describe("parseAddress", () => {
  it.each([
    "",
    "1.2.3",
    "1.2.3.256",
    "01.2.3.4",
    "1:2",
    "::1::",
    "1:2:3:4:5:6:7:8:9",
    "fe80::1%eth0",
    "g::",
    "1.2.3.4:80",
    ":1::2",
    "1:2:3:4:5:6:7::8",
  ])("refuses %j", (text) => {
    expect(parseAddress(text)).toBeUndefined()
  })

  it("reads a dotted tail", () => {
    expect(parseAddress("::ffff:192.0.2.1")).toEqual(parseAddress("192.0.2.1"))
  })

  it("gives back what formatAddress wrote", () => {
    const address = fc.oneof(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      // Zeros in plenty, so that runs of every place and length come up.
      fc
        .array(fc.constantFrom(0, 0, 0, 1, 0xff), { minLength: 16, maxLength: 16 })
        .map((bytes) => Uint8Array.from(bytes)),
    )
    fc.assert(
      fc.property(address, (bytes) => {
        expect(parseAddress(formatAddress(bytes))).toEqual(bytes)
      }),
    )
  })
})

describe("prefixes", () => {
  it.each([
    ["10.9.8.7/8", "10.0.0.0/8"],
    ["100.127.0.0/10", "100.64.0.0/10"],
    ["192.0.2.1", "192.0.2.1/32"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["fdff::/7", "fc00::/7"],
    ["::/0", "::/0"],
    ["::1", "::1/128"],
  ])("%s means %s", (text, canonical) => {
    const block = parsePrefix(text)
    expect(block && formatPrefix(block)).toBe(canonical)
  })

  it.each(["10.0.0.0/33", "::/129", "10.0.0.0/8/8", "10.0.0.0/", "10.0.0.0/08", "/8"])("refuses %j", (text) => {
    expect(parsePrefix(text)).toBeUndefined()
  })

  it.each([
    ["100.64.0.0/10", "100.127.255.255", true],
    ["100.64.0.0/10", "100.128.0.0", false],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "10.0.0.1", true],
  ])("%s holds %s: %s", (block, address, expected) => {
    const [a, b] = [parseAddress(address), parsePrefix(block)]
    expect(a && b && isWithin(a, b)).toBe(expected)
  })
})
