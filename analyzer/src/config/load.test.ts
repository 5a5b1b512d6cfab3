import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { formatPrefix } from "../testing/prefixes.js"
import { z } from "zod"
import { checkConfig, loadConfig } from "./load.js"
import type { Config } from "./load.js"
import { fileSchema } from "./schema.js"

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-config-"))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function fileWith(text: string): string {
  const path = join(folder, "backflow.yaml")
  writeFileSync(path, text)
  return path
}

function problems(text: string, environment: Record<string, string> = {}): string[] {
  const checked = checkConfig({ file: fileWith(text), environment })
  return "problems" in checked ? checked.problems.map(({ path, message }) => `${path} ${message}`) : []
}

const load = (text: string, environment = {}, flags = {}): Config =>
  loadConfig({ file: fileWith(text), environment, flags })

describe("a configuration", () => {
  it.each([[""], ["{}"], ["# only a comment\n"], ["store:\n  # retention_days: 7\nlisten: {}\n"]])(
    "of %j is the defaults",
    (text) => {
      const config = load(text)
      expect(config).toEqual(loadConfig({ environment: {} }))
      expect(config).toMatchObject({
        state: resolve(".backflow"),
        log: { level: "warn", format: "auto" },
        listen: {},
        store: { database: "backflow", retentionDays: 30, quotaBytes: 21_474_836_480 },
        networks: [],
        detectors: { longLivedSsh: { afterSeconds: 600 } },
        policy: { approved: [], suppressed: [], denied: [] },
      })
      expect(config.listen).toEqual({ address: undefined, tls: undefined, tokenFile: undefined })
      expect(config.store.url).toBeUndefined()
    },
  )

  it("takes everything that a file says", () => {
    const config = load(`
state: /var/lib/backflow
log: { level: info }
listen:
  address: 0.0.0.0:4410
  tls: { cert_file: /etc/cert.pem, key_file: /etc/key.pem, client_ca_file: /etc/ca.pem }
  token_file: /etc/token
store:
  url: https://clickhouse.internal:8443
  username: writer
  password_file: /etc/password
  retention_days: 7
inside: [203.0.113.0/24]
outside: ["10.99.0.0/16", "2001:db8::/32"]
detectors: { long_lived_ssh: { after_seconds: 60 } }
policy:
  approved:
    - destination: 203.0.113.7:443
      identity: { exe: /usr/local/bin/teleport, uid: 0 }
      classes: [reverse_tunnel]
      reason: bastion, ticket 123
`)
    expect(config).toMatchObject({
      state: "/var/lib/backflow",
      log: { level: "info" },
      listen: {
        address: "0.0.0.0:4410",
        tls: { certFile: "/etc/cert.pem", keyFile: "/etc/key.pem", clientCaFile: "/etc/ca.pem" },
        tokenFile: "/etc/token",
      },
      store: {
        url: "https://clickhouse.internal:8443",
        username: "writer",
        passwordFile: "/etc/password",
        retentionDays: 7,
      },
      detectors: { longLivedSsh: { afterSeconds: 60 } },
      policy: { approved: [{ identity: { uid: 0 }, classes: ["reverse_tunnel"] }], suppressed: [], denied: [] },
    })
    expect(config.networks.map(({ block, scope }) => `${scope} ${formatPrefix(block)}`)).toEqual([
      "inside 203.0.113.0/24",
      "outside 10.99.0.0/16",
      "outside 2001:db8::/32",
    ])
  })

  it("is overruled by variables, and those by options", () => {
    const environment = {
      BACKFLOW_STORE_RETENTION_DAYS: "9",
      BACKFLOW_STATE: "/b",
      BACKFLOW_INSIDE: "10.1.0.0/16, fd00::/8",
    }
    const config = load(
      "state: /a\nstore: { retention_days: 8, quota_bytes: 20000000 }\ninside: [1.2.3.4]",
      environment,
      { state: "/c" },
    )
    expect(config).toMatchObject({ state: "/c", store: { retentionDays: 9, quotaBytes: 20_000_000 } })
    expect(config.networks.map(({ block }) => formatPrefix(block))).toEqual(["10.1.0.0/16", "fd00::/8"])
  })

  it("cannot be changed", () => {
    const config = load("inside: [10.0.0.0/8]")
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(config.store)).toBe(true)
    expect(Object.isFrozen(config.networks[0])).toBe(true)
  })
})

describe("a mistake", () => {
  it.each([
    ["stor: {}", "stor is not known: did you mean store?"],
    ["listen: { adress: 127.0.0.1:1 }", "listen.adress is not known: did you mean address?"],
    ["store: { retentionDays: 3 }", "store.retentionDays is not known: did you mean retention_days?"],
    ["detectors: { long-lived-ssh: {} }", "detectors.long-lived-ssh is not known: did you mean long_lived_ssh?"],
    ["detectors: { beacon: {} }", "detectors.beacon is not known: use one of long_lived_ssh"],
    ["store: { retention_days: 0 }", "store.retention_days 0 must be at least 1"],
    ["store: { retention_days: 36500 }", "store.retention_days 36500 must be at most 3650"],
    ["store: { retention_days: 1.5 }", "store.retention_days 1.5 must be a whole number"],
    ["store: { retention_days: many }", 'store.retention_days "many" must be a whole number'],
    [
      "store: { url: clickhouse:8123 }",
      'store.url "clickhouse:8123" is no http:// or https:// URL of a ClickHouse server',
    ],
    ["store: { url: 'http://127.0.0.1:9' , username: '' }", 'store.username "" is empty'],
    ["store: { database: a-b }", 'store.database "a-b" is no database name: use letters, digits and _'],
    [
      "listen: { address: 127.0.0.1 }",
      'listen.address "127.0.0.1" is no address to listen on: write 127.0.0.1:4410, [::1]:4410 or unix:/path',
    ],
    ["listen: 4410", "listen 4410 must be named values"],
    ["inside: 10.0.0.0/8", 'inside "10.0.0.0/8" must be a list'],
    ["inside: [10.0.0.0/33]", 'inside[0] "10.0.0.0/33" is no network: write it as 10.0.0.0/8, fd00::/8 or one address'],
    ["log: { level: verbose }", 'log.level "verbose" is not known: use one of debug, info, warn, error'],
    ["log: { level: wran }", 'log.level "wran" is not known: did you mean warn?'],
    ["- a", "(file) must hold named values, such as listen: and store:"],
  ])("in %s is told with its place and remedy", (text, expected) => {
    expect(problems(text).map((problem) => problem.replace(join(folder, "backflow.yaml"), "(file)"))).toEqual([
      expected,
    ])
  })

  it.each([
    ["identity: { exe: /a }, reason: r", "destination is missing: give text"],
    [
      "destination: 1.2.3.4, identity: {}, reason: r",
      "identity names nobody: give at least one of exe, uid, container, argv, ancestor",
    ],
    ["destination: 1.2.3.4, identity: { exe: /a }", "reason is missing: give text"],
    [
      "destination: example.org, identity: { exe: /a }, reason: r",
      'destination "example.org" is no destination: write a network (203.0.113.0/24), an address, or either with a port (203.0.113.9:443, [2001:db8::1]:443)',
    ],
    [
      "destination: 1.2.3.4, identity: { exe: /a }, reason: r, classes: [tunnel]",
      'classes[0] "tunnel" is not known: use one of reverse_tunnel, reverse_shell, long_lived_ssh, ssh_role_inversion, inverted_flow, tunnel_intent, blinding, host_blind',
    ],
  ])("in a policy rule {%s} is told", (rule, expected) => {
    expect(problems(`policy: { approved: [{ ${rule} }] }`)).toEqual([`policy.approved[0].${expected}`])
  })

  it.each([
    [
      "listen: { address: '0.0.0.0:4410' }",
      [
        "listen.tls is missing: an address that other machines reach needs cert_file and key_file (and token_file or client_ca_file)",
      ],
    ],
    [
      "listen: { address: '[::]:4410', tls: { cert_file: c, key_file: k } }",
      [
        "listen.token_file is missing: any user who reaches a TCP address, loopback too, could report connections. Create one with: openssl rand -hex 32 > FILE (or set tls.client_ca_file, or listen on unix:/path)",
      ],
    ],
    ["listen: { address: '10.0.0.1:4410', tls: { cert_file: c, key_file: k }, token_file: t }", []],
    ["listen: { address: '10.0.0.1:4410', tls: { cert_file: c, key_file: k, client_ca_file: a } }", []],
    ["listen: { address: '127.0.0.1:4410' }", [expect.stringMatching(/^listen\.token_file is missing.*openssl rand/)]],
    [
      "listen: { address: '[::1]:4410', tls: { cert_file: c, key_file: k } }",
      [expect.stringMatching(/^listen\.token_file is missing/)],
    ],
    ["listen: { address: '127.0.0.1:4410', token_file: t }", []],
    ["listen: { address: 'unix:/run/a.sock' }", []],
  ])("of an open door, %s, is told", (text, expected) => {
    expect(problems(text)).toEqual(expected)
  })

  it("that puts a password into the address of the store is told", () => {
    expect(problems("store: { url: 'https://u:p@clickhouse:8443' }")).toEqual([
      'store.url "https://clickhouse:8443" holds a name or password, which logs would show: give store.username and store.password_file',
    ])
  })

  it.each([
    ["kafka-1.example:9092", ["alerts.kafka.tls is missing: without it the password of sasl would cross the network"]],
    ["203.0.113.9:9092", ["alerts.kafka.tls is missing: without it the password of sasl would cross the network"]],
    ["127.0.0.1:9092", []],
    ["localhost:9092", []],
  ])("that sends the password of sasl to %s in the clear is told", (broker, expected) => {
    const sasl = "{ mechanism: plain, username: u, password_file: p }"
    const found = problems(`alerts: { kafka: { brokers: ['localhost:9092', '${broker}'], sasl: ${sasl} } }`)
    expect(found.map((text) => text.split(" for all")[0])).toEqual(expected)
  })

  it("never hides another", () => {
    expect(
      problems("stor: 1\nlisten: { adress: x }\nstore: { retention_days: 0 }", { BACKFLOW_STAT: "x" }),
    ).toHaveLength(4)
  })

  it.each([
    ["a: [", /is not YAML: .* at line 1/],
    ["state: a\nstate: b", /is not YAML: Map keys must be unique at line 2/],
  ])("in the YAML %j is told with its line", (text, expected) => {
    expect(problems(text)[0]).toMatch(expected)
  })

  it("in a variable is told by its name", () => {
    expect(problems("", { BACKFLOW_STORE_RETENTION_DAY: "3" })).toEqual([
      "BACKFLOW_STORE_RETENTION_DAY is not known: did you mean BACKFLOW_STORE_RETENTION_DAYS?",
    ])
    const ofKubernetes = {
      BACKFLOW_SERVICE_HOST: "10.0.0.7",
      BACKFLOW_PORT_9200_TCP_ADDR: "10.0.0.7",
      BACKFLOW_PORT: "",
    }
    expect(problems("", ofKubernetes)).toEqual([])
    expect(problems("", { BACKFLOW_STORE_RETENTION_DAYS: "a week" })).toEqual([
      'store.retention_days "a week" must be a whole number',
    ])
  })

  it("such as a file that is not there is told", () => {
    const path = join(folder, "nowhere.yaml")
    expect(() => loadConfig({ file: path, environment: {} })).toThrow(`${path} cannot be read: ENOENT`)
  })
})

/** Every single value with a default, by its path. */
function defaultsIn(schema: z.core.$ZodType, path = ""): { readonly path: string; readonly meta: unknown }[] {
  if (schema instanceof z.ZodOptional) return defaultsIn(schema.unwrap(), path)
  if (schema instanceof z.ZodObject)
    return Object.entries(schema.shape as Record<string, z.core.$ZodType>).flatMap(([name, part]) =>
      defaultsIn(part, `${path}.${name}`),
    )
  if (!(schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)) return []
  const inner = schema.unwrap()
  if (inner instanceof z.ZodObject) return defaultsIn(inner, path)
  return inner instanceof z.ZodArray ? [] : [{ path, meta: schema.meta() }]
}

const saysWhy = ({ unit = "", reason = "" }: { unit?: string; reason?: string } = {}) =>
  unit.length >= 4 && reason.length >= 20

it("every default says its unit and reason", () => {
  const all = defaultsIn(fileSchema)
  expect(all.length).toBeGreaterThan(20)
  const without = all.filter(({ meta }) => !saysWhy(meta as { unit?: string; reason?: string } | undefined))
  expect(without).toEqual([])
})
