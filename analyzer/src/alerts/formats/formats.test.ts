import { readFileSync } from "node:fs"
import { Ajv2020 } from "ajv/dist/2020.js"
import type { AnySchema, ValidateFunction } from "ajv/dist/2020.js"
import formats from "ajv-formats"
import { beforeAll, describe, expect, it } from "vitest"
import { severities } from "../../domain/severity.js"
import type { Finding } from "../../domain/finding.js"
import type { Alert } from "../outbox/alert.js"
import { anAlert } from "../../testing/alerts.js"
import { cloudEvent } from "./cloud-events.js"
import { ecs } from "./ecs.js"
import { formatter } from "./formatter.js"
import { ocsf } from "./ocsf.js"
import { startUs } from "../../testing/time.js"
import { aFinding } from "../../testing/findings.js"

type Json = Record<string, unknown>

let validate: ValidateFunction

beforeAll(() => {
  const schema = JSON.parse(readFileSync(new URL("ocsf.schema.json", import.meta.url), "utf8")) as AnySchema
  const ajv = new Ajv2020({ strict: true, allErrors: true, strictRequired: false })
  formats.default(ajv)
  validate = ajv.compile(schema)
})

/** What the published facts have against a value after its way through text. */
function problems(value: unknown): string[] {
  validate(JSON.parse(JSON.stringify(value)))
  return (validate.errors ?? []).map(({ instancePath, keyword }) => `${instancePath} ${keyword}`)
}

const { process, connection } = aFinding()
const noConnection = { ...connection, cookie: "" }
const nobody = { ...process, pid: 0, startNs: "0", exe: "", argv: [], ancestors: [] }

const ofAllKinds: readonly (readonly [string, Alert])[] = [
  ["created", anAlert()],
  ["updated", anAlert({ kind: "updated" }, { version: 2, status: "updated" })],
  ["closed", anAlert({ kind: "closed", because: "ended" }, { version: 3, status: "closed" })],
  ["lowered", anAlert({ kind: "closed", because: "lowered" }, { version: 3, status: "updated", severity: "low" })],
  ["approved", anAlert({ kind: "closed", because: "expected" }, { version: 3, status: "expected" })],
  ["over before it was sent", anAlert({ because: "ended" }, { status: "closed" })],
]

describe("OCSF", () => {
  it.each<[string, Partial<Finding>]>([
    ["without a connection", { connection: noConnection }],
    ["of nobody", { process: nobody }],
    ["of nobody, without a connection", { process: nobody, connection: noConnection }],
    ["over IPv6", { connection: { ...connection, remote: { address: "2001:db8::1", port: 443 } } }],
    ["dialled from outside", { connection: { ...connection, initiator: "remote" } }],
    ["in a container", { process: { ...process, containerId: "0123456789ab" } }],
    ["of an unknown technique", { attack: ["T1999.001"] }],
    ["of sub-techniques", { attack: ["T1021.004", "T1059.004"] }],
    ["of a program without a name", { process: { ...process, exe: "" } }],
    ["out of time", { firstSeenUs: -1, lastSeenUs: 9e18, detectedAtUs: Number.NaN }],
    ["with hostile text", { summary: "\u001b[2J\ud800\0\u2028" }],
    ...severities.map((severity): [string, Partial<Finding>] => [`of severity ${severity}`, { severity }]),
  ])("agrees with the published schema for a finding %s", (_what, changes) => {
    expect(problems(ocsf(anAlert({}, changes), "0.1.0"))).toEqual([])
  })

  it.each(ofAllKinds)("agrees with it when %s", (_what, alert) => {
    expect(problems(ocsf(alert, "0.1.0"))).toEqual([])
  })

  it.each([
    ["created", 1, 200_401, true, 1],
    ["updated", 2, 200_402, false, 2],
    ["closed", 3, 200_403, false, 4],
    ["lowered", 3, 200_403, false, 4],
    ["approved", 3, 200_403, false, 3],
    ["over before it was sent", 1, 200_401, true, 4],
  ])("tells %s by its numbers", (what, activity_id, type_uid, is_alert, status_id) => {
    const alert = ofAllKinds.find(([name]) => name === what)?.[1] ?? anAlert()
    expect(ocsf(alert, "0.1.0")).toMatchObject({ activity_id, type_uid, is_alert, status_id })
  })

  it("keeps the moment of creation over versions", () => {
    const createdAt = "2026-11-23T05:00:00.123000000Z"
    const event = ocsf(anAlert({ kind: "updated", createdAt }, { version: 7, detectedAtUs: startUs }), "0.1.0")
    expect(event["time"]).toBe(Date.parse("2026-11-23T05:00:00.123Z"))
    expect(event["finding_info"]).toMatchObject({ created_time: event["time"], modified_time: startUs / 1_000 })
  })

  it("is what stands in the example", () => {
    const example = JSON.parse(readFileSync(new URL("ocsf.example.json", import.meta.url), "utf8")) as Json
    expect(JSON.parse(JSON.stringify(ocsf(anAlert(), "0.1.0")))).toEqual(example)
  })

  it("would not pass with an attribute of our own, a missing one or a wrong number", () => {
    const event = ocsf(anAlert(), "0.1.0")
    expect(problems({ ...event, score: 1 })).toEqual([" additionalProperties"])
    expect(problems({ ...event, metadata: undefined })).toEqual([" required"])
    expect(problems({ ...event, severity_id: 7 })).toEqual(["/severity_id enum"])
  })
})

describe("ECS", () => {
  it("is what stands in the example", () => {
    const example = JSON.parse(readFileSync(new URL("ecs.example.json", import.meta.url), "utf8")) as Json
    expect(JSON.parse(JSON.stringify(ecs(anAlert(), "0.1.0")))).toEqual(example)
  })

  it("tells who dialled", () => {
    const inbound = anAlert({}, { connection: { ...connection, initiator: "remote" } })
    expect(ecs(inbound, "0.1.0")).toMatchObject({
      source: { ip: "203.0.113.9" },
      destination: { ip: "10.1.2.3" },
      network: { direction: "ingress" },
    })
  })

  it("leaves out what is not known", () => {
    const bare = ecs(anAlert({}, { process: nobody, connection: noConnection }), "0.1.0")
    for (const field of ["process", "user", "container", "source", "network"]) expect(bare).not.toHaveProperty(field)
  })

  it.each(ofAllKinds)("has kind and type when %s", (_what, alert) => {
    const type = { created: "start", updated: "info", closed: "end" }[alert.kind]
    expect(ecs(alert, "0.1.0")).toMatchObject({
      event: { kind: "alert", type: [type], action: `finding-${alert.kind}` },
    })
  })
})

describe("an alert that stands for many", () => {
  const limited = {
    count: 2_990,
    classes: { tunnel_intent: 2_980, long_lived_ssh: 10 },
    identity: "uid 1000, bash",
    minute: "2026-11-23T06:00:00.000000000Z",
  }
  const alert = anAlert({ limited })

  it("says how many in every form, in a place of its own", () => {
    expect(problems(ocsf(alert, "0.1.0"))).toEqual([])
    expect(ocsf(alert, "0.1.0")).toMatchObject({ is_alert: true, unmapped: { limited } })
    expect(ecs(alert, "0.1.0")).toMatchObject({
      backflow: { limited: { count: 2_990, classes: ["tunnel_intent", "long_lived_ssh"] } },
    })
    expect(JSON.parse(formatter("finding", "/a", "0.1.0")(alert).body)).toMatchObject({ id: alert.finding.id, limited })
  })

  it("agrees with the schema of the project's own form", () => {
    const path = new URL("../../../../proto/finding.schema.json", import.meta.url)
    const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true })
    formats.default(ajv)
    const isValid = ajv.compile(JSON.parse(readFileSync(path, "utf8")) as AnySchema)
    const body = (sent: Alert) => JSON.parse(formatter("finding", "/a", "0.1.0")(sent).body) as unknown
    expect(isValid(body(alert))).toBe(true)
    expect(isValid(body(anAlert({ limited: { ...limited, count: 0 } })))).toBe(false)
  })
})

describe("the protocol of an alert", () => {
  const protocolsOf = (protocol: Finding["connection"]["protocol"]) => {
    const alert = anAlert({}, { class: "tunnel_intent", connection: { ...connection, protocol } })
    expect(problems(ocsf(alert, "0.1.0"))).toEqual([])
    const [subject] = ocsf(alert, "0.1.0")["evidences"] as [{ connection_info: Json }]
    const { protocol_num, protocol_name } = subject.connection_info
    return { protocol_num, protocol_name, transport: (ecs(alert, "0.1.0")["network"] as Json)["transport"] }
  }

  it.each([
    ["tcp", 6],
    ["udp", 17],
  ] as const)("%s is %i", (protocol, number) => {
    expect(protocolsOf(protocol)).toEqual({ protocol_num: number, protocol_name: protocol, transport: protocol })
  })

  it("is left out where it is not known, and in alerts that an earlier release put on disk", () => {
    const none = { protocol_num: undefined, protocol_name: undefined, transport: undefined }
    expect(protocolsOf("unknown")).toEqual(none)
    expect(protocolsOf(undefined as never)).toEqual(none)
  })
})

it("names a program whose file was replaced by its name", () => {
  const replaced = anAlert({}, { process: { ...process, exe: "/usr/bin/ssh (deleted)" } })
  expect(ecs(replaced, "0.1.0")["process"]).toMatchObject({ name: "ssh", executable: "/usr/bin/ssh (deleted)" })
  expect(ocsf(replaced, "0.1.0")["evidences"]).toMatchObject([{ process: { name: "ssh", file: { name: "ssh" } } }, {}])
})

describe("an alert on its way", () => {
  it("has the attributes of CloudEvents", () => {
    expect(cloudEvent(anAlert({ kind: "updated" }, { version: 4 }), "/backflow/a", "ocsf")).toEqual({
      specversion: "1.0",
      id: `${aFinding().id}:4`,
      type: "backflow.finding.updated.v1",
      source: "/backflow/a",
      time: "2026-11-23T06:00:00.000000000Z",
      subject: "build-7",
      partitionkey: aFinding().id,
      dataschema: "https://schema.ocsf.io/1.8.0/classes/detection_finding",
    })
  })

  it("names no schema where none is published, and no subject that is empty", () => {
    const unnamed = anAlert({}, { host: { id: "", name: "", bootId: "b" } })
    expect(Object.keys(cloudEvent(unnamed, "/a", "ecs"))).toEqual([
      "specversion",
      "id",
      "type",
      "source",
      "time",
      "partitionkey",
    ])
  })

  it("is the finding itself in the project's own form", () => {
    const alert = anAlert()
    const { key, body } = formatter("finding", "/a", "0.1.0")(alert)
    expect(key).toBe(alert.finding.id)
    expect(JSON.parse(body)).toEqual(JSON.parse(JSON.stringify(alert.finding)))
  })
})
