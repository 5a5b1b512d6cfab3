import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { Ajv2020 } from "ajv/dist/2020.js"
import type { AnySchema, ValidateFunction } from "ajv/dist/2020.js"
import formats from "ajv-formats"
import { beforeAll, describe, expect, it } from "vitest"
import type { FindingStatus } from "../domain/finding.js"
import { findingClasses } from "../domain/finding-classes.js"
import { severities } from "../domain/severity.js"
import { findingJson } from "./finding-json.js"
import { startUs } from "../testing/time.js"
import { aFinding } from "../testing/findings.js"

type Json = Record<string, unknown>
let schema: Json
let validate: ValidateFunction

beforeAll(() => {
  const path = createRequire(import.meta.url).resolve("@backflow/proto/finding.schema.json")
  schema = JSON.parse(readFileSync(path, "utf8")) as Json
  const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true })
  formats.default(ajv)
  validate = ajv.compile(schema as AnySchema)
})

/** What the schema has against a value after its way through text. */
function problems(value: unknown): string[] {
  validate(JSON.parse(JSON.stringify(value)))
  return (validate.errors ?? []).map(({ instancePath, keyword }) => `${instancePath} ${keyword}`)
}

const noConnection = { ...aFinding().connection, cookie: "" }
const v6 = { ...aFinding().connection, remote: { address: "2001:db8::1", port: 443 } }

describe("findingJson", () => {
  it.each([
    ["with everything", aFinding()],
    ["without a connection", aFinding({ connection: noConnection })],
    ["over IPv6", aFinding({ connection: v6 })],
    ["over UDP", aFinding({ connection: { ...v6, protocol: "udp" } })],
    ["over what is not known", aFinding({ connection: { ...v6, protocol: "unknown" } })],
    [
      "from an unknown process",
      aFinding({ process: { ...aFinding().process, pid: 0, startNs: "0", exe: "", argv: [], ancestors: [] } }),
    ],
    ["with moments out of range", aFinding({ firstSeenUs: -1, lastSeenUs: 9e18, detectedAtUs: Number.NaN })],
    ["with hostile text", aFinding({ summary: "\u001b[2J\ud800\0\u2028" })],
  ])("gives what the schema allows for a finding %s", (_what, finding) => {
    expect(problems(findingJson(finding))).toEqual([])
  })

  it("has the values of the finding", () => {
    expect(findingJson(aFinding())).toMatchObject({
      detected_at: "2026-11-23T06:00:00.000000000Z",
      first_seen: "2026-11-23T05:59:58.500000000Z",
      host: { boot_id: aFinding().host.bootId },
      process: { pid: 4_711, start_ns: "123456789", container_id: "" },
      connection: {
        netns: 4_026_531_840,
        protocol: "tcp",
        opened_at: "2026-11-23T05:59:00.000000000Z",
        still_open: true,
      },
      evidence: [{ at: "2026-11-23T06:00:00.000000000Z", facts: { turns: 12 } }],
    })
  })

  it("keeps single microseconds", () => {
    expect(findingJson(aFinding({ lastSeenUs: startUs + 1 })).last_seen).toBe("2026-11-23T06:00:00.000001000Z")
  })
})

describe("the schema", () => {
  const good = () => JSON.parse(JSON.stringify(findingJson(aFinding()))) as Json
  const changed = (part: string, changes: Json) => ({ ...good(), [part]: { ...(good()[part] as Json), ...changes } })

  it.each([
    ["no evidence", { ...good(), evidence: [] }, "/evidence minItems"],
    ["an unknown member", { ...good(), extra: 1 }, " additionalProperties"],
    ["an unknown member of the process", changed("process", { cwd: "/" }), "/process additionalProperties"],
    ["a class of its own", { ...good(), class: "beacon" }, "/class enum"],
    ["a score above 1", { ...good(), score: 1.01 }, "/score maximum"],
    ["version 0", { ...good(), version: 0 }, "/version minimum"],
    ["a time of milliseconds", { ...good(), last_seen: "2026-11-23T06:00:00.123Z" }, "/last_seen pattern"],
    ["a time that does not exist", { ...good(), last_seen: "2026-02-30T06:00:00.000000000Z" }, "/last_seen format"],
    ["an id in capitals", { ...good(), id: aFinding().id.toUpperCase() }, "/id pattern"],
    ["a protocol of its own", changed("connection", { protocol: "sctp" }), "/connection/protocol enum"],
    ["a numeric cookie", changed("connection", { cookie: 1_000 }), "/connection/cookie type"],
    [
      "an address that is none",
      changed("connection", { local: { address: "host", port: 1 } }),
      "/connection/local/address anyOf",
    ],
    ["a technique that is none", { ...good(), attack: ["TA0011"] }, "/attack/0 pattern"],
    [
      "a nested fact",
      { ...good(), evidence: [{ kind: "k", text: "t", at: good()["last_seen"], facts: { a: {} } }] },
      "/evidence/0/facts/a type",
    ],
  ])("refuses %s", (_what, value, problem) => {
    expect(problems(value)).toContain(problem)
  })

  it.each(Object.keys(findingJson(aFinding())))("requires %s", (name) => {
    expect(problems({ ...good(), [name]: undefined })).toEqual([" required"])
  })

  it("knows the classes, severities and states of the domain, and no others", () => {
    const properties = schema["properties"] as Record<string, { enum: unknown }>
    expect(properties["class"]?.enum).toEqual(findingClasses)
    expect(properties["severity"]?.enum).toEqual(severities)
    const statuses = { open: 1, updated: 1, closed: 1, expected: 1, suppressed: 1, proof: 1 } satisfies Record<
      FindingStatus,
      1
    >
    expect(properties["status"]?.enum).toEqual(Object.keys(statuses))
  })
})
