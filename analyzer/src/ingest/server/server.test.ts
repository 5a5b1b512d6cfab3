import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import http2 from "node:http2"
import { setImmediate } from "node:timers/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { credentials, status } from "@grpc/grpc-js"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { Networks, rule } from "../../domain/networks.js"
import type { Analyzer } from "../../service/analyzer.js"
import { anAnalyzer } from "../../testing/analyzer.js"
import type { Sink } from "../../sinks/sink.js"
import { FakeCollector } from "../../testing/fake-collector.js"
import type { RejectionReason } from "../decode/rejections.js"
import { batch, connections, flags, hello, process } from "../../testing/wire-messages.js"
import { startUs } from "../../testing/time.js"

/** A store that takes everything, or from which nothing ever comes back. */
function aStore(isStuck: boolean): Sink {
  const done = () => Promise.resolve()
  return { name: "store", write: () => (isStuck ? new Promise(() => undefined) : done()) }
}

let folder: string
let analyzer: Analyzer
let collectors: FakeCollector[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-"))
  collectors = []
})
afterEach(async () => {
  for (const collector of collectors) collector.close()
  await analyzer.stop(0)
  rmSync(folder, { recursive: true })
})

async function start(config: Parameters<typeof anAnalyzer>[1] = {}, isStuck = false): Promise<string> {
  analyzer = anAnalyzer({ store: aStore(isStuck) }, config)
  await analyzer.start()
  return analyzer.address
}

function dial(...args: ConstructorParameters<typeof FakeCollector>): FakeCollector {
  const collector = new FakeCollector(...args)
  collectors.push(collector)
  return collector
}

function rejected(reason: RejectionReason): number {
  return analyzer.status().rejected.find(([name]) => name === reason)?.[1] ?? 0
}

/** Another collector is served as before: what the first one did cost only itself. */
async function expectServed(address: string): Promise<void> {
  const other = dial(address)
  other.send(hello({ hostId: "host-b", instance: "9" }))
  other.send(batch(1, { connections: connections([{}]) }))
  await other.acknowledged(1)
  expect(other.acks).toEqual([1])
}

/** The exchanges of one record of a batch. */
function exchangesOf(record: number): Record<string, number[]> {
  const names = ["remoteLed", "remoteLedAnswered", "localLed", "localLedAnswered", "localReplyLog2", "remoteReplyLog2", "sameSizeAnswers", "strictAlternations", "answerBytes"] // prettier-ignore
  return { record: [record], ...Object.fromEntries(names.map((name) => [name, [1]])) }
}

describe("hostile and broken collectors", () => {
  it.each<[string, Buffer, RejectionReason, status]>([
    ["garbage first", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "hello", status.INVALID_ARGUMENT],
    ["an empty first message", Buffer.alloc(0), "hello", status.INVALID_ARGUMENT],
    ["a batch before Hello", batch(1), "hello", status.INVALID_ARGUMENT],
    ["a cut Hello", hello().subarray(0, 20), "undecodable", status.INVALID_ARGUMENT],
    ["another protocol", hello({ protocol: 2 }), "protocol_version", status.FAILED_PRECONDITION],
    ["a host id that would break tokens", hello({ hostId: "a:b" }), "hello", status.INVALID_ARGUMENT],
    ["no boot id", hello({ bootId: "" }), "hello", status.INVALID_ARGUMENT],
    ["an endless name", hello({ kernel: "x".repeat(300) }), "text_length", status.INVALID_ARGUMENT],
  ])("refuses %s", async (_, first, reason, code) => {
    const address = await start()
    const collector = dial(address)
    collector.send(first)
    expect(await collector.ended).toMatchObject({ code })
    expect(rejected(reason)).toBe(1)
    await expectServed(address)
  })

  const columns = connections([{}, {}])
  it.each<[string, Buffer, RejectionReason]>([
    ["garbage", Buffer.from([0x22, 0x05, 0xff, 0xff, 0xff, 0xff, 0xff]), "undecodable"],
    ["a length that lies", Buffer.from([0x22, 0x7f, 0x08, 0x01]), "undecodable"],
    ["an unknown kind of message", Buffer.from([0x7a, 0x00]), "undecodable"],
    ["a second Hello", hello(), "hello"],
    ["a column too short", batch(1, { connections: { ...columns, netns: [1] } }), "column_length"],
    ["a column too long", batch(1, { connections: { ...columns, flags: [1, 1, 1] } }), "column_length"],
    ["addresses of 15 bytes", batch(1, { connections: { ...columns, addresses: Buffer.alloc(15) } }), "column_length"],
    ["exchanges of no record", batch(1, { connections: { ...columns, exchanges: exchangesOf(2) } }), "column_length"],
    ["exchanges that are cut", batch(1, { connections: { ...columns, exchanges: { record: [1] } } }), "column_length"],
    ["no sequence number", batch(0), "sequence"],
    ["a time before 2000", batch(1, { baseUs: 5 }), "time"],
    ["a clock six minutes ahead", batch(1, { baseUs: startUs + 360_000_000 }), "clock_ahead"],
  ])("ends a stream with %s", async (_, message, reason) => {
    const address = await start()
    const collector = dial(address)
    collector.send(hello())
    collector.send(message)
    collector.send(batch(9))
    expect(await collector.ended).toMatchObject({ code: status.INVALID_ARGUMENT })
    expect(collector.acks).toEqual([])
    expect(rejected(reason)).toBe(1)
    await expectServed(address)
    // What follows an unreadable message is not applied, or what was unreadable would count as sent before.
    expect(analyzer.status().sessions.map(({ counts }) => counts.batches)).toEqual([0, 1])
  })

  it("leaves out records that make no sense, and keeps the rest", async () => {
    const address = await start()
    const collector = dial(address)
    const good = connections([{ cookie: "1" }, { cookie: "2" }, { cookie: "3" }, { cookie: "4" }, { cookie: "5" }])
    const bad = {
      ...good,
      remoteAddress: [1, 7, 1, 1, 1],
      remotePort: [443, 443, 70_000, 443, 443],
      observedUs: [0, 0, 0, 3 * 86_400_000_000, 0],
      flags: [flags.opened, flags.opened, flags.opened, flags.opened, 3 | (6 << 8)],
    }
    collector.send(hello())
    collector.send(batch(1, { processes: [process(2, 5, { exe: "x".repeat(5_000) })], connections: bad }))
    await collector.acknowledged(1)
    expect(analyzer.status().hosts[0]?.counts.liveConnections).toBe(1)
    for (const reason of ["address_index", "port", "time", "initiator", "text_length"] as const)
      expect([reason, rejected(reason)]).toEqual([reason, 1])
  })

  it("refuses a message beyond 8 MiB", async () => {
    const address = await start()
    const collector = dial(address)
    collector.send(hello())
    await collector.next("welcome")
    collector.send(Buffer.alloc(8 * 1024 * 1024 + 1))
    expect(await collector.ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED })
    await expectServed(address)
  })

  it("grants a window of 1 MiB, for a long way between collector and analyzer", async () => {
    const { createServer, createSecureServer } = http2
    const session = http2.connect(`http://${await start()}`)
    const settings = await new Promise<http2.Settings>((resolve) => session.once("remoteSettings", resolve))
    session.destroy()
    expect(settings).toMatchObject({ initialWindowSize: 1_048_576, maxFrameSize: 262_144 })
    // What was replaced for that is back in its place.
    expect([http2.createServer, http2.createSecureServer]).toEqual([createServer, createSecureServer])
  })

  it("survives what is not even HTTP/2, and HTTP/2 that is not gRPC", async () => {
    const address = await start()
    const session = http2.connect(`http://${address}`)
    const answer = await new Promise<http2.IncomingHttpHeaders>((resolve) => {
      session.request({ ":method": "POST", ":path": "/backflow.v1.Collector/Stream" }).on("response", resolve)
    })
    session.destroy()
    expect(answer[":status"]).toBe(415)
    await expect(fetch(`http://${address}/`)).rejects.toThrow("fetch failed")
    await expectServed(address)
  })
})

describe("who may come in", () => {
  it("asks for the token", async () => {
    const address = await start({ token: "s3cret" })
    for (const token of [undefined, "", "s3cre", "s3cret2"])
      expect(await dial(address, token).ended).toMatchObject({ code: status.UNAUTHENTICATED })
    expect(rejected("unauthenticated")).toBe(4)
    const collector = dial(address, "s3cret")
    collector.send(hello())
    expect(await collector.next("welcome")).toMatchObject({ protocol: 1 })
  })

  it("takes no more streams than configured", async () => {
    const address = await start({ limits: { streams: 1 } })
    const first = dial(address)
    first.send(hello())
    await first.next("welcome")
    expect(await dial(address).ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED })
    expect(rejected("too_many_streams")).toBe(1)
    first.send(batch(1))
    await first.acknowledged(1)
    expect(first.acks).toEqual([1])
  })

  it("ends no stream of a peer for another one of its own", async () => {
    const address = await start({ limits: { streams: 3 } })
    const greedy = Array.from({ length: 3 }, () => dial(address))
    for (const [i, collector] of greedy.entries()) {
      collector.send(hello({ instance: String(i) }))
      await collector.next("welcome")
    }
    const own = dial(address)
    expect(await own.ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED })
    expect(analyzer.status().streams).toBe(3)
  })

  it("refuses hosts that a peer invents, and keeps those that it has", async () => {
    const address = await start({ limits: { hosts: 4 } })
    const invented = (n: number) => hello({ hostId: `invented-${n}`, instance: String(n) })
    for (const n of [1, 2]) {
      const collector = dial(address)
      collector.send(invented(n))
      await collector.next("welcome")
    }
    const third = dial(address)
    third.send(invented(3))
    expect(await third.ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED })
    expect(rejected("too_many_hosts")).toBe(1)
    const known = dial(address)
    known.send(hello({ hostId: "invented-1", instance: "9" }))
    expect(await known.next("welcome")).toMatchObject({ protocol: 1 })
  })

  it("lets a newer stream of a collector take over", async () => {
    const address = await start()
    const older = dial(address)
    older.send(hello())
    await older.next("welcome")
    const newer = dial(address)
    newer.send(hello())
    expect(await older.ended).toMatchObject({ code: status.ABORTED })
    newer.send(batch(1))
    await newer.acknowledged(1)
    expect(analyzer.status().streams).toBe(1)
  })

  it("tells collectors which networks count as outside and inside", async () => {
    const networks = new Networks([rule("198.51.100.0/24", "inside"), rule("10.9.0.0/16", "outside")])
    const collector = dial(await start({ networks }))
    collector.send(hello())
    expect(await collector.next("welcome")).toMatchObject({
      networks: [{ prefix: 120 }, { prefix: 112, outside: true }],
    })
  })

  it("refuses to listen to the network without TLS", async () => {
    await start()
    await expect(anAnalyzer({ store: aStore(false) }, { listen: "0.0.0.0:0" }).start()).rejects.toThrow("has no TLS")
  })

  it("names the address that is in use", async () => {
    const address = await start()
    await expect(anAnalyzer({ store: aStore(false) }, { listen: address }).start()).rejects.toMatchObject({
      code: "address-in-use",
      message: `${address} is in use by another program`,
    })
  })

  it("listens on a unix socket for its owner only, also where a killed analyzer left one", async () => {
    const path = join(folder, "line.sock")
    // A socket file whose listener is gone, as after kill -9.
    execFileSync("python3", ["-c", "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path])
    const collector = dial(await start({ listen: `unix:${path}` }))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    collector.send(hello())
    expect(await collector.next("welcome")).toMatchObject({ protocol: 1 })
  })

  it("speaks TLS, and lets in only certificates of the client authority", async () => {
    const pem = (name: string) => readFileSync(join(folder, name))
    const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" })
    for (const name of ["server", "stranger"])
      openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", `${name}.key`, "-out", `${name}.crt`) // prettier-ignore
    const tls = { certificate: pem("server.crt"), key: pem("server.key"), clientAuthority: pem("server.crt") }
    const port = (await start({ tls })).split(":").at(-1) ?? ""
    const trusted = credentials.createSsl(pem("server.crt"), pem("server.key"), pem("server.crt"))
    const stranger = credentials.createSsl(pem("server.crt"), pem("stranger.key"), pem("stranger.crt"))
    const collector = dial(`localhost:${port}`, undefined, trusted)
    collector.send(hello())
    expect(await collector.next("welcome")).toMatchObject({ protocol: 1 })
    expect(await dial(`localhost:${port}`, undefined, stranger).ended).toMatchObject({ code: status.UNAVAILABLE })
  })
})

describe("a store that does not answer", () => {
  it("holds a collector that ignores its window at its share, and reads no further", async () => {
    const intake = { messages: 64, bytes: 4 * 1024 * 1024 }
    const address = await start({ limits: { intake, delivery: { rows: 10, outputs: 4 } } }, true)
    const greedy = dial(address)
    greedy.send(hello())
    await greedy.next("welcome")
    expect(greedy.window).toBe(64)
    // 400 messages of 64 KiB: 25 MiB against an intake of 4 MiB, a quarter of which is for one collector.
    const large = (seq: number) => batch(seq, { processes: [process(2, 5, { argv: ["x".repeat(65_536)] })] })
    for (let seq = 1; seq <= 400; seq++) greedy.send(large(seq))
    while (analyzer.status().intake.bytes < intake.bytes / 4) await setImmediate()
    // Others come and go meanwhile: many turns in which the greedy one could have been read further.
    for (let instance = 100; instance < 120; instance++) {
      const other = dial(address)
      other.send(hello({ instance: String(instance) }))
      await other.next("welcome")
      other.close()
    }

    const { intake: queued, deliveries } = analyzer.status()
    expect(queued.bytes).toBeLessThan(intake.bytes / 4 + 2 * large(1).length)
    expect(deliveries[0]?.counts.waiting).toBeLessThanOrEqual(4)
    // What left the client: the share of the intake, the delivery, messages in hand, and the HTTP/2 windows on the way.
    expect(greedy.written).toBeGreaterThan(16)
    expect(greedy.written).toBeLessThan(100)
    expect(greedy.acks).toEqual([])
  })

  it("shares the intake among collectors", async () => {
    const address = await start({ limits: { intake: { messages: 32, bytes: 1 << 20 } } }, true)
    const first = dial(address)
    first.send(hello())
    await first.next("welcome")
    const second = dial(address)
    second.send(hello({ instance: "8" }))
    await second.next("welcome")
    await first.until(() => first.window === 16)
    expect(second.window).toBe(16)
    second.close()
    await first.until(() => first.window === 32)
    expect(first.window).toBe(32)
  })
})
