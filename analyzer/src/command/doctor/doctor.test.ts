import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer as createHttpServer } from "node:http"
import { createServer } from "node:net"
import type { AddressInfo, Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { loadConfig } from "../../config/load.js"
import { doctorCommand, resultText } from "./doctor.js"
import { runCheck } from "./check.js"
import type { Result } from "./check.js"
import { clock } from "./clock-check.js"
import { hostChecks } from "./host-checks.js"
import type { HostFiles } from "./host-checks.js"
import { judgeTopic } from "./topic-check.js"
import type { Arguments } from "../cli/arguments.js"
import type { Terminal } from "../cli/terminal.js"

let folder: string
let undo: (() => Promise<void>)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-doctor-"))
})

afterEach(async () => {
  for (const step of undo.reverse()) await step()
  undo = []
  rmSync(folder, { recursive: true, force: true })
})

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  undo.push(() => new Promise((resolve) => server.close(() => resolve())))
  return (server.address() as AddressInfo).port
}

const everything = (1n << 41n) - 1n
const host = { platform: "linux", hasBtf: true, capabilities: everything }
const files = (changes: Partial<HostFiles> = {}): HostFiles => ({
  release: "6.18.0",
  read: () => undefined,
  exists: () => true,
  ...changes,
})

describe("the host", () => {
  const limit = "Max locked memory  65536  65536  bytes"
  it.each([
    ["a kernel with types", "kernel", {}, {}, "ok"],
    ["one without", "kernel", { hasBtf: false }, {}, "failing"],
    ["an old one", "kernel", {}, { release: "5.4.0-generic" }, "degraded"],
    ["one that is locked down", "kernel", {}, { read: () => "none integrity [confidentiality]" }, "failing"],
    ["one that could be", "kernel", {}, { read: () => "[none] integrity confidentiality" }, "ok"],
    ["no Linux", "kernel", { platform: "darwin" }, {}, "failing"],
    ["all rights", "rights", {}, {}, "ok"],
    ["none", "rights", { capabilities: 0n }, {}, "failing"],
    ["cgroup 1", "cgroups", {}, { exists: () => false }, "degraded"],
    ["a limit that counts", "locked memory", {}, { release: "5.10.0", read: () => limit }, "degraded"],
    ["one that does not", "locked memory", {}, { release: "5.11.0", read: () => limit }, "ok"],
  ])("%s", async (_, what, facts, found, state) => {
    const check = hostChecks({ ...host, ...facts }, files(found), "").find((one) => one.what === what)
    const outcome = await check?.run()
    expect(outcome?.state).toBe(state)
    expect(outcome?.remedy === "").toBe(state === "ok")
  })

  it.each([
    ["attaches", '{"capabilities":["on_state"],"degraded":[]}', "ok"],
    ["lacks a hook", '{"capabilities":[],"degraded":[{"feature":"x","consequence":"y"}]}', "degraded"],
    ["is of another release", "backflow-collector 0.0.1", "failing"],
  ])("a collector that %s", async (_, output, state) => {
    const collector = program(`echo '${output}'`)
    const check = hostChecks(host, files(), collector).find((one) => one.what === "collector")
    expect(await check?.run()).toMatchObject({ state })
  })
})

describe("the clock", () => {
  it.each([
    ["is kept, and the store's is near", true, 12, "ok"],
    ["is kept by nobody knows what", undefined, undefined, "ok"],
    ["is behind the store's", true, 5_000, "degraded"],
    ["is not kept", false, 3, "degraded"],
  ])("%s", async (_, synchronised, skewMs, state) => {
    const server = Promise.resolve(skewMs === undefined ? undefined : { skewMs })
    expect(await clock(() => Promise.resolve(synchronised), server)).toMatchObject({ state })
  })
})

describe("the topic", () => {
  const topic = { partitions: 6, replicas: 3, weak: 0, minInSync: 2 }
  it.each([
    ["three copies", 3, topic, "ok"],
    ["one broker for trying", 1, { ...topic, replicas: 1, minInSync: 1 }, "ok"],
    ["one copy of many brokers", 3, { ...topic, replicas: 1, minInSync: 1 }, "degraded"],
    ["a copy behind", 3, { ...topic, weak: 1 }, "degraded"],
    ["more copies required than there are", 3, { ...topic, minInSync: 4 }, "failing"],
    ["no topic", 3, undefined, "failing"],
  ])("%s", (_, brokers, info, state) => {
    expect(judgeTopic("t", brokers, info)).toMatchObject({ state })
  })
})

describe("a check", () => {
  it("that never ends fails in time", async () => {
    const never = { what: "x", run: () => new Promise<never>(() => undefined) }
    expect(await runCheck(never, 20)).toMatchObject({ state: "failing", text: "timeout: no result within 0.02 s" })
  })

  it("that throws fails with its words", async () => {
    const thrown = { what: "x", run: () => Promise.reject(new Error("no such thing")) }
    expect(await runCheck(thrown, 1_000)).toMatchObject({ what: "x", state: "failing", text: "no such thing" })
  })

  it("cannot command the terminal", () => {
    const text = resultText({ what: "x", state: "failing", text: "\u001b[2J", remedy: "" }, 5, false)
    expect(text).toBe("failing   x      \\e[2J\n")
  })
})

interface Report {
  readonly ok: boolean
  readonly checks: readonly Result[]
}

async function doctor(
  flags: Record<string, string>,
  collector: string,
): Promise<{ readonly code: number; readonly report: Report }> {
  let out = ""
  const terminal: Terminal = {
    out: (text) => (out += text),
    note: () => undefined,
    colour: false,
    environment: {},
    nowUs: () => 0,
  }
  const args: Arguments = {
    command: { name: "doctor" } as Arguments["command"],
    operands: [],
    values: { collector },
    switches: new Set(["json"]),
  }
  const code = await doctorCommand(args, loadConfig({ environment: {}, flags: { state: folder, ...flags } }), terminal)
  return { code, report: JSON.parse(out) as Report }
}

function program(script: string): string {
  const path = join(folder, "collector")
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

const of = ({ checks }: Report, what: string) => checks.find((one) => one.what === what)
const attaches = `echo '{"capabilities":["on_state"],"degraded":[]}'`

describe("backflow doctor", () => {
  it("reports the state of each part", async () => {
    const { report } = await doctor(
      { "page.address": "127.0.0.1:0", "listen.address": "127.0.0.1:0", "listen.token_file": "/token" },
      program(attaches),
    )
    expect(of(report, "collector")).toMatchObject({ state: "ok", text: "1 hooks attach" })
    expect(of(report, "store")).toMatchObject({ state: "ok" })
    expect(of(report, "page")).toMatchObject({ state: "ok" })
  })

  it("fails over a collector that may not observe, with its words", async () => {
    const { code, report } = await doctor({}, program("echo 'backflow-collector: not permitted' >&2; exit 3"))
    expect(code).toBe(14)
    expect(of(report, "collector")).toMatchObject({ state: "failing", text: "not permitted" })
  })

  it("fails over one that is not built", async () => {
    const { report } = await doctor({}, join(folder, "none"))
    expect(of(report, "collector")).toMatchObject({
      state: "failing",
      remedy: expect.stringContaining("npm start") as string,
    })
  })

  it("fails over a server that is not there and a broker that is not there", async () => {
    const gone = createServer()
    const nobody = await listening(gone)
    await new Promise((resolve) => gone.close(resolve))
    const flags = { "store.url": `http://127.0.0.1:${nobody}`, "alerts.kafka.brokers": [`127.0.0.1:${nobody}`] }
    const { code, report } = await doctor(flags as unknown as Record<string, string>, program(attaches))
    expect(code).toBe(14)
    expect(of(report, "store")).toMatchObject({ state: "failing" })
    expect(of(report, "broker")).toMatchObject({ state: "failing" })
  })

  it("reads the server's clock and the schema of its tables", async () => {
    const url = await aServer({ skewMs: 60_000, schema: 99 })
    const { report } = await doctor({ "store.url": url }, program(attaches))
    expect(of(report, "store")).toMatchObject({
      state: "failing",
      text: expect.stringContaining("schema 99") as string,
    })
    expect(of(report, "clock")).toMatchObject({
      state: "degraded",
      text: expect.stringMatching(/(59|60)\.\d s ahead/) as string,
    })
  })

  it("fails over a chosen port that another program has", async () => {
    const taken = `127.0.0.1:${await listening(createServer())}`
    const { report } = await doctor({ "page.address": taken }, program(attaches))
    expect(of(report, "page")).toMatchObject({ state: "failing" })
  })
})

/** The three results of a ClickHouse server that the doctor reads. */
async function aServer({ skewMs, schema }: { readonly skewMs: number; readonly schema: number }): Promise<string> {
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const query = Buffer.concat(chunks).toString()
      const row = query.includes("system.tables")
        ? { present: 1 }
        : query.includes("schema_migrations")
          ? { version: schema }
          : { version: "26.7.2.1", now: String(Date.now() + skewMs) }
      response.end(`${JSON.stringify(row)}\n`)
    })
  })
  return `http://127.0.0.1:${await listening(server)}`
}
