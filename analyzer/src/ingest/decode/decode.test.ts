import { readFileSync } from "node:fs"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { backflow } from "@backflow/proto"
import type { Batch } from "../../domain/batch.js"
import { decode, protocolVersion } from "./decode.js"
import type { Decoded } from "./decode.js"
import { ProcessDictionary } from "./dictionary.js"
import { wireLimits } from "./wire-limits.js"
import { Rejections } from "./rejections.js"
import { batch, connections, flags, hello, process, snapshot } from "../../testing/wire-messages.js"
import type { SampleConnection } from "../../testing/wire-messages.js"
import { toHex, toNumber } from "./uint64.js"
import { startUs } from "../../testing/time.js"

const golden = (name: string) => readFileSync(new URL(`../../../../proto/golden/${name}.bin`, import.meta.url))

function read(bytes: Uint8Array, dictionary = new ProcessDictionary()) {
  const rejections = new Rejections()
  const decoded = decode(bytes, { dictionary, nowUs: startUs + 60_000_000, reject: rejections.count })
  const rejected = Object.fromEntries(rejections.entries().filter(([, count]) => count > 0))
  return { decoded, rejected, dictionary }
}

function batchOf({ decoded }: { decoded: Decoded }): Batch {
  if (decoded.kind !== "batch") throw new Error(`not a batch: ${JSON.stringify(decoded)}`)
  return decoded.batch
}

describe("decode", () => {
  it("reads hand-labelled bytes", () => {
    const bytes: readonly (readonly [string, string])[] = [
      ["22 74", "CollectorMessage.batch, 116 bytes"],
      ["08 05", "seq 5"],
      ["10 c0e6b3b2efeb9103", "base_us 1767323045000000"],
      ["22 0d", "process, 13 bytes"],
      ["08 07", "  ref 7"],
      ["10 2a", "  pid 42"],
      ["19 40420f0000000000", "  start_ns 1000000, little endian"],
      ["2a 58", "connections, 88 bytes"],
      ["0a 08 efcdab8967452301", "  cookie 0123456789abcdef, little endian"],
      ["12 05 808080800f", "  netns 4026531840"],
      ["1a 01 07", "  process 7"],
      ["22 03 818c08", "  flags: 1 local, 0 << 2 opened, 6 << 8 TCP, 1 << 17 established"],
      ["2a 01 00", "  local address 0"],
      ["32 01 01", "  remote address 1"],
      ["3a 03 c0b802", "  local port 40000"],
      ["42 02 bb03", "  remote port 443"],
      ["4a 02 d704", "  opened_us -300, zigzag 599"],
      ["52 01 01", "  observed_us -1, zigzag 1"],
      ["5a 02 ac02", "  bytes_sent 300"],
      ["62 01 02", "  bytes_received 2"],
      ["6a 20 00000000000000000000ffff0a000005", "  addresses, 32 bytes: 10.0.0.5"],
      ["20010db8000000000000000000000009", "  and 2001:db8::9"],
    ]
    const joined = bytes.map(([digits]) => digits.replaceAll(" ", "")).join("")
    expect(batchOf(read(Buffer.from(joined, "hex")))).toMatchObject({
      seq: 5,
      snapshot: false,
      observedUs: 1_767_323_045_000_000,
      processes: [{ key: "42:1000000", pid: 42, startNs: "1000000" }],
      connections: [
        {
          cookie: "0123456789abcdef",
          netns: 4_026_531_840,
          process: "42:1000000",
          initiator: "local",
          reason: "opened",
          protocol: "tcp",
          established: true,
          olderThanCollector: false,
          local: { address: "10.0.0.5", port: 40_000 },
          remote: { address: "2001:db8::9", port: 443 },
          route: "unknown",
          openedUs: 1_767_323_044_999_700,
          observedUs: 1_767_323_044_999_999,
          bytesSent: 300,
          bytesReceived: 2,
          exchanges: undefined,
        },
      ],
    })
  })

  it("reads every field of the full golden batch", () => {
    const result = read(golden("full"))
    expect(result.rejected).toEqual({})
    expect(batchOf(result)).toMatchSnapshot()
  })

  it("reads Hello and a dictionary", () => {
    expect(read(golden("hello")).decoded).toMatchObject({
      kind: "hello",
      hello: { protocol: protocolVersion, host: { hostName: "build-7", instance: "18446744073709551614", degraded: [{ feature: "udp" }] } },
    }) // prettier-ignore
    const { decoded, dictionary } = read(golden("dictionary"))
    expect(decoded).toMatchObject({ kind: "dictionary", processes: [{ key: "4243:99" }] })
    expect(dictionary.keyOf(7)).toBe("4243:99")
  })

  it("takes a heartbeat with the largest sequence number", () => {
    const { seq, ...rest } = batchOf(read(golden("heartbeat")))
    expect(seq).toBe(Number.MAX_SAFE_INTEGER)
    expect(rest).toMatchObject({ processes: [], connections: [], edges: [], attachments: [], exited: [] })
  })

  it("resolves a parent that stands behind its child, and forgets references only after the batch", () => {
    const dictionary = new ProcessDictionary()
    const records = connections([{ process: 1 }])
    const first = batchOf(read(batch(1, { processes: [process(1, 10, { parent: 2 }), process(2, 20)], connections: records, exited: [1, 99] }), dictionary)) // prettier-ignore
    expect(first.processes[0]?.parent).toBe("20:20000000")
    expect(first.connections[0]?.process).toBe("10:10000000")
    expect(first.exited).toEqual(["10:10000000"])

    const { decoded, rejected } = read(batch(2, { connections: records }), dictionary)
    expect(batchOf({ decoded }).connections[0]?.process).toBeUndefined()
    expect(rejected).toEqual({ unknown_process: 1 })
  })

  it("marks parts of a snapshot", () => {
    expect(batchOf(read(snapshot(1, { more: true })))).toMatchObject({ snapshot: true, more: true })
    expect(batchOf(read(snapshot(2)))).toMatchObject({ snapshot: true, more: false })
  })

  it.each([
    [1, "icmp"],
    [6, "tcp"],
    [17, "udp"],
    [58, "icmp"],
  ])("takes protocol %d for %s", (number, name) => {
    const [connection] = batchOf(
      read(batch(1, { connections: connections([{ flags: 1 | (number << 8) }]) })),
    ).connections
    expect(connection?.protocol).toBe(name)
  })

  it.each([
    ["an edge of no kind", { edges: [{ aRemote: Buffer.alloc(16), firstUs: startUs, lastUs: startUs }] }, "edge_kind"],
    ["an edge of a future kind", { edges: [{ kind: 9, aRemote: Buffer.alloc(16), firstUs: startUs, lastUs: startUs }] }, "edge_kind"],
    ["an edge with a short address", { edges: [{ kind: 1, aRemote: Buffer.alloc(4), firstUs: startUs, lastUs: startUs }] }, "address_length"],
    ["an edge without times", { edges: [{ kind: 1, aRemote: Buffer.alloc(16) }] }, "time"],
    ["an edge with an endless path", { edges: [{ kind: 3, aRemote: Buffer.alloc(16), bPath: "x".repeat(600), firstUs: startUs, lastUs: startUs }] }, "text_length"],
    ["an attachment of no kind", { processes: [process(1, 10)], attachments: [{ process: 1, observedUs: startUs }] }, "attachment_kind"],
    ["an attachment of nobody", { attachments: [{ kind: 1, process: 5, observedUs: startUs }] }, "unknown_process"],
    ["endless arguments", { processes: [process(1, 10, { argv: ["x".repeat(140_000)] })] }, "text_length"],
    ["a process from the future", { processes: [process(1, 10, { execUs: startUs * 2 })] }, "time"],
    ["a total beyond 2^53", { connections: { ...connections([{}]), bytesSent: ["9007199254740992"] } }, "total"],
    ["an edge to a port that is none", { edges: [{ kind: 1, aRemote: Buffer.alloc(16), bPort: 65_536, firstUs: startUs, lastUs: startUs }] }, "port"],
    ["a use of a device without addresses", { tunnelUses: [{ netns: 1, device: 7, firstUs: startUs, lastUs: startUs }] }, "address_length"],
    ["a use of a device at no time", { tunnelUses: [{ local: Buffer.alloc(16), remote: Buffer.alloc(16) }] }, "time"],
    ["what was passed on between no addresses", { tunnelForwards: [{ netns: 1, device: 7, firstUs: startUs, lastUs: startUs }] }, "address_length"],
    ["what was passed on at no time", { tunnelForwards: [{ outside: Buffer.alloc(16), inside: Buffer.alloc(16) }] }, "time"],
    ["an unknown protocol", { connections: connections([{ flags: 1 | (132 << 8) }]) }, "protocol"],
  ])("leaves out %s", (_, changes, reason) => {
    const { decoded, rejected } = read(batch(1, changes))
    const { edges, attachments, connections: kept, tunnelUses, tunnelForwards } = batchOf({ decoded })
    expect([...edges, ...attachments, ...kept, ...tunnelUses, ...tunnelForwards]).toEqual([])
    expect(rejected).toEqual({ [reason]: 1 })
  }) // prettier-ignore

  it("refuses a message that is two, and one that is none", () => {
    const two = Buffer.concat([batch(1), batch(2)])
    expect(read(two).decoded).toMatchObject({ kind: "malformed", reason: "undecodable" })
    expect(read(Buffer.alloc(0)).decoded).toMatchObject({ kind: "malformed", reason: "undecodable" })
  })

  it("passes over fields of a later version", () => {
    const later = Buffer.concat([Buffer.from("f00107", "hex"), batch(1)])
    expect(batchOf(read(later)).seq).toBe(1)
  })

  it("refuses more connections than it would keep, before it makes them", () => {
    const bytes = Buffer.concat([Buffer.from("0a", "hex"), varint(8 * 16_385), Buffer.alloc(8 * 16_385)])
    const records = Buffer.concat([Buffer.from("2a", "hex"), varint(bytes.length), bytes])
    const head = Buffer.from(batch(1)).subarray(2)
    const message = Buffer.concat([Buffer.from("22", "hex"), varint(head.length + records.length), head, records])
    expect(read(message).decoded).toMatchObject({ kind: "malformed", reason: "too_many_records" })
  })
})

function varint(value: number): Buffer {
  return value < 128 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 127) | 128]), varint(value >>> 7)])
}

const anyRecord: fc.Arbitrary<SampleConnection> = fc.record({
  cookie: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((cookie) => cookie.toString(16)),
  flags: fc.constantFrom(flags.opened, flags.moved, flags.closed),
  remote: fc.ipV6().map((address) => address.replace(/:(\d+\.){3}\d+$/, ":0")),
  remotePort: fc.integer({ min: 0, max: 65_535 }),
  openedUs: fc.integer({ min: -86_400_000_000, max: 0 }),
  bytesSent: fc.maxSafeNat(),
  bytesReceived: fc.maxSafeNat(),
})

it("forgets the oldest reference when a collector has too many at a time", () => {
  const dictionary = new ProcessDictionary()
  for (let reference = 1; reference <= wireLimits.processReferences + 2; reference++) dictionary.learn(reference, "1:1")
  expect([1, 2, 3].map((reference) => dictionary.keyOf(reference))).toEqual([undefined, undefined, "1:1"])
})

describe("properties of decode", () => {
  it("never throws, whatever the bytes", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // Past the first tag, where random bytes seldom come.
      fc.uint8Array({ maxLength: 200 }).map((tail) => Buffer.concat([Buffer.from([0x22]), varint(tail.length), tail])),
    )
    fc.assert(fc.property(bytes, (random) => { expect(typeof read(random).decoded.kind).toBe("string") }), { numRuns: 2_000 }) // prettier-ignore
  })

  it("never throws on a good message with some bytes changed, cut or repeated", () => {
    const originals = [golden("full"), golden("small"), hello(), golden("dictionary")]
    const damage = fc.record({
      original: fc.constantFrom(...originals),
      changes: fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { maxLength: 8 }),
      cut: fc.nat(2_000),
    })
    fc.assert(
      fc.property(damage, ({ original, changes, cut }) => {
        const bytes = Buffer.from(original)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        expect(typeof read(bytes.subarray(0, Math.max(1, cut % (bytes.length + 1)))).decoded.kind).toBe("string")
      }),
      { numRuns: 3_000 },
    )
  })

  it("reads columns as the generated code does", () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 20 }), (records) => {
        const bytes = batch(1, { connections: connections(records) })
        const wire = backflow.v1.CollectorMessage.decode(bytes).batch?.connections
        const column = (words: readonly { high: number; low: number }[] | null | undefined) =>
          (words ?? []).map(toNumber)
        const updates = batchOf(read(bytes)).connections
        expect(updates.map(({ cookie }) => cookie)).toEqual((wire?.cookie ?? []).map(toHex))
        expect(updates.map(({ bytesSent }) => bytesSent)).toEqual(column(wire?.bytesSent))
        expect(updates.map(({ bytesReceived }) => bytesReceived)).toEqual(column(wire?.bytesReceived))
        expect(updates.map(({ remote }) => remote.port)).toEqual(wire?.remotePort ?? [])
        expect(updates.map(({ openedUs }) => openedUs - startUs - 200_000)).toEqual(
          records.map(({ openedUs }) => openedUs),
        )
      }),
    )
  })

  it("accounts for every record: kept or rejected", () => {
    const odd = fc.record({
      flags: fc.nat(2 ** 20),
      remotePort: fc.nat(100_000),
      openedUs: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
    })
    fc.assert(
      fc.property(fc.array(odd, { maxLength: 30 }), (records) => {
        const { decoded, rejected } = read(batch(1, { connections: connections(records) }))
        const sum = Object.values(rejected).reduce((total, count) => total + count, 0)
        expect(batchOf({ decoded }).connections.length + sum).toBe(records.length)
      }),
    )
  })
})
