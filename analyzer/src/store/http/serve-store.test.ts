import { ClickHouseLogLevel, createClient } from "@clickhouse/client"
import type { ClickHouseClient } from "@clickhouse/client"
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { aRow, anOutput } from "../../testing/outputs.js"
import { loopbackCertificate } from "../../testing/loopback-certificate.js"
import { StoreSink } from "../store-sink.js"
import { openStore } from "../store.js"
import type { Store } from "../store.js"
import { serveStore } from "./serve-store.js"
import type { ServedStore } from "./serve-store.js"
import { startUs } from "../../testing/time.js"

let state: string
let store: Store
let served: ServedStore
let token: string
let client: ClickHouseClient

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), "backflow-front-"))
  store = await openStore({
    target: { kind: "embedded", folder: join(state, "store") },
    database: "backflow",
    limits: { memoryBytes: 1_000_000_000, querySeconds: 30 },
    retention: { connectionDays: 3_650, findingDays: 3_650, rollupDays: 3_650 },
  })
  const sink = new StoreSink(store, () => startUs)
  await sink.write([anOutput(1, { connections: [aRow(), aRow({ cookie: "a", bytesSent: 2 ** 53 - 1 })] })])
  const address = { address: "127.0.0.1:0", tls: undefined, tokenFile: undefined }
  const limits = { memoryBytes: 100_000_000, querySeconds: 2 }
  served = (await serveStore({ state, database: "backflow", serve: address, limits })) as ServedStore
  token = readFileSync(served.tokenFile, "utf8").trim()
  client = createClient({
    url: served.url,
    username: "reader",
    password: token,
    database: "backflow",
    compression: { request: true, response: true },
    log: { level: ClickHouseLogLevel.OFF },
  })
})

afterAll(async () => {
  await client.close()
  await served.close()
  await store.close()
  rmSync(state, { recursive: true, force: true })
})

async function ask(query: string, headers: Record<string, string> = { "x-clickhouse-key": token }, params = "") {
  const response = await fetch(`${served.url}/?${params}`, { method: "POST", body: query, headers })
  return { status: response.status, code: Number(response.headers.get("x-clickhouse-exception-code") ?? 0), text: await response.text() } // prettier-ignore
}

describe("the real client", () => {
  it("pings and reads rows, compressed and with parameters", async () => {
    expect(await client.ping()).toEqual({ success: true })
    expect(await client.ping({ select: true })).toEqual({ success: true })
    const result = await client.query({
      query:
        "SELECT cookie, bytes_sent FROM connections_current WHERE exe = {exe:String} AND cookie IN {some:Array(UInt64)} ORDER BY cookie",
      query_params: { exe: "/usr/bin/ssh", some: [10, 1000] },
      format: "JSONEachRow",
      clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
    })
    expect(await result.json()).toEqual([
      { cookie: "10", bytes_sent: "9007199254740991" },
      { cookie: "1000", bytes_sent: "4096" },
    ])
    expect(result.response_headers["content-encoding"]).toBe("gzip")
    expect(result.response_headers["x-clickhouse-format"]).toBe("JSONEachRow")
  })

  it.each(["it's", "back\\slash", "tab\tline\nend", "\u{1f511}", "", "[1,2]"])(
    "sends the text %j as it is",
    async (text) => {
      const result = await client.query({ query: "SELECT {text:String} AS text", query_params: { text }, format: "JSONEachRow" }) // prettier-ignore
      expect(await result.json()).toEqual([{ text }])
    },
  )

  it("gets the engine's error with its number", async () => {
    await expect(client.query({ query: "SELECT * FROM nowhere" })).rejects.toMatchObject({ code: "60", type: "UNKNOWN_TABLE" }) // prettier-ignore
    await expect(client.insert({ table: "connections", values: [{ cookie: 1 }], format: "JSONEachRow" })).rejects.toMatchObject({ code: "164", type: "READONLY" }) // prettier-ignore
  })
})

describe("a query", () => {
  it("may stand in the address, and be packed in the body", async () => {
    const headers = { "x-clickhouse-key": token }
    expect(await (await fetch(`${served.url}/?query=SELECT%201`, { headers })).text()).toBe("1\n")
    const body = gzipSync("SELECT 2 FORMAT JSONCompactEachRow")
    const packed = await fetch(served.url, {
      method: "POST",
      body,
      headers: { ...headers, "content-encoding": "gzip" },
    })
    expect(await packed.text()).toBe("[2]\n")
  })

  it.each(["Native", "Arrow", "Parquet", "RowBinary", "JSONCompact"])("is answered in %s", async (format) => {
    const { status, text } = await ask(`SELECT toUInt8(7) AS a, 'x' AS b FORMAT ${format}`)
    expect(status).toBe(200)
    expect(text.length).toBeGreaterThan(2)
  })

  it("leaves no setting and no database to the next one", async () => {
    await ask("SELECT 1", undefined, "output_format_json_quote_64bit_integers=1&database=system")
    expect((await ask("SELECT currentDatabase() AS d, toUInt64(1) AS n FORMAT JSONEachRow")).text).toBe(
      '{"d":"backflow","n":1}\n',
    )
  })

  it("ends at the limit of time, and of memory", async () => {
    expect(await ask("SELECT sum(sipHash64(number)) FROM numbers(1000000000000)")).toMatchObject({
      status: 408,
      code: 159,
    })
    expect(await ask("SELECT groupArray(number) FROM numbers(100000000)")).toMatchObject({ status: 500, code: 241 })
  })

  it("may be so long and no longer", async () => {
    expect(await ask(`SELECT '${"x".repeat(1_000_000)}'`)).toMatchObject({ status: 413, code: 223 })
  })

  it("waits while others run, and is refused when too many wait", async () => {
    // Each takes much longer than forty need to arrive: none has room because another is over already.
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask("SELECT sleep(0.4)")))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(34)
    expect(answers.filter(({ code }) => code === 202)).toHaveLength(6)
  }, 30_000)
})

describe("the token", () => {
  it("is in a file of the state folder for its owner alone", () => {
    expect(statSync(join(state, "store-token")).mode & 0o777).toBe(0o600)
    expect(token.length).toBeGreaterThanOrEqual(32)
  })

  const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`
  it("opens in every way that ClickHouse knows", async () => {
    expect((await ask("SELECT 1", { authorization: `Bearer ${token}` })).status).toBe(200)
    expect((await ask("SELECT 1", { authorization: basic("any", token) })).status).toBe(200)
    expect((await ask("SELECT 1", {}, `user=any&password=${token}`)).status).toBe(200)
  })

  it.each([{}, { "x-clickhouse-key": "wrong" }, { authorization: "Bearer " }, { authorization: basic("default", "") }])(
    "is missed in %j",
    async (headers) => {
      expect(await ask("SELECT 1", headers as Record<string, string>)).toMatchObject({ status: 403, code: 516 })
    },
  )
})

describe("nothing beyond the tables of the store", () => {
  const outfile = join(tmpdir(), `backflow-outfile-${process.pid}`)
  it.each([
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT file('/etc/passwd')",
    "SELECT /* x */ `file` ('/etc/passwd')",
    "SELECT \"file\"('/etc/passwd')",
    "SELECT FILE('/etc/passwd')",
    "WITH (SELECT file('/etc/passwd')) AS x SELECT x",
    "EXPLAIN SELECT file('/etc/passwd')",
    "SELECT * FROM view(SELECT file('/etc/passwd'))",
    "SELECT * FROM eval('SELECT 1')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM `/etc/passwd`",
    "SELECT * FROM filesystem('/etc')",
    `SELECT 1 INTO OUTFILE '${outfile}'`,
    `SELECT 1 INTO/**/OUTFILE '${outfile}' APPEND`,
    "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString', 'a String')",
    "SELECT * FROM s3('http://127.0.0.1:9/a/b', 'CSV', 'a String')",
    "SELECT * FROM remote('127.0.0.1:9', 'system', 'one')",
    "SELECT * FROM cluster('default', 'system', 'one')",
    "SELECT * FROM mysql('127.0.0.1:9', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:9', 'a', 'b', 'c', 'd')",
    "SELECT * FROM mongodb('127.0.0.1:9', 'a', 'b', 'c', 'd', 'e String')",
    "SELECT * FROM redis('127.0.0.1:9', 'key', 'key String')",
    "SELECT * FROM sqlite('/tmp/x.db', 't')",
    "SELECT * FROM executable('id', 'TSV', 'a String')",
    "SELECT * FROM hdfs('hdfs://127.0.0.1:9/a', 'CSV', 'a String')",
    "SELECT * FROM dictionary('x')",
    "SELECT catboostEvaluate('/etc/passwd', 1)",
    "SELECT aiGenerate('x', 'y')",
    "SELECT 1; SELECT file('/etc/passwd')",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_memory_usage = 0",
    "SET readonly = 0",
    "INSERT INTO connections (cookie) VALUES (1)",
    "INSERT INTO FUNCTION file('/tmp/x') SELECT 1",
    "CREATE TABLE x (a UInt8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE x (a UInt8)",
    "CREATE DICTIONARY d (a UInt8) PRIMARY KEY a SOURCE(FILE(path '/etc/passwd' format 'CSV')) LAYOUT(FLAT())",
    "CREATE FUNCTION f AS (x) -> x",
    "ALTER TABLE connections DELETE WHERE 1",
    "DROP TABLE connections",
    "TRUNCATE TABLE connections",
    "OPTIMIZE TABLE connections",
    "RENAME TABLE connections TO c",
    "ATTACH TABLE x FROM '/etc' (a UInt8) ENGINE = MergeTree ORDER BY a",
    "BACKUP TABLE connections TO File('/tmp/x')",
    "SYSTEM SHUTDOWN",
    "KILL QUERY WHERE 1",
    "USE system",
    "GRANT ALL ON *.* TO x",
  ])("%s is refused", async (query) => {
    const { status, text } = await ask(query)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(text).not.toContain("root:")
    expect(existsSync(outfile)).toBe(false)
    expect((await ask("SELECT count() FROM connections")).text).toBe("2\n")
  })

  it.each([
    "readonly=0&x=1",
    "allow_experimental_eval_table_function=1",
    "format_schema=/etc/passwd",
    "output_format_schema=/tmp/x",
  ])("settings such as %s are refused", async (params) => {
    expect(await ask("SELECT 1", undefined, params)).toMatchObject({ code: 164 })
  })

  it.each([
    "SHOW TABLES",
    "DESCRIBE TABLE connections",
    "EXISTS TABLE connections",
    "EXPLAIN SELECT 1",
    "(SELECT 1)",
    "WITH 1 AS a SELECT a",
    "SELECT 'INTO OUTFILE file(''x'')'",
    "SELECT format('{}', 1)",
  ])("%s is answered", async (query) => {
    expect((await ask(query)).status).toBe(200)
  })
})

it("the Go driver's first question is answered in its own form, with revision 0", async () => {
  const query = encodeURIComponent("SELECT displayName(), version(), revision(), timezone()")
  const params = `query=${query}&default_format=Native&client_protocol_version=54485`
  const response = await fetch(`${served.url}/?${params}`, { headers: { "x-clickhouse-key": token } })
  const bytes = Buffer.from(await response.arrayBuffer())
  expect(bytes.subarray(0, 10).toString("hex")).toBe("010002ffffffff000401")
  expect(bytes.toString("latin1")).toContain("\x0arevision()\x06UInt32\0\0\0\0\0")
})

describe("over TLS", () => {
  it("answers who trusts its authority and shows the token of its file, and nobody else", async () => {
    const { keyFile, certFile, cert } = loopbackCertificate(state)
    const tokenFile = join(state, "token-of-its-own")
    writeFileSync(tokenFile, "a-token-that-its-readers-know\n")
    const serve = { address: "127.0.0.1:0", tls: { keyFile, certFile }, tokenFile }
    const limits = { memoryBytes: 100_000_000, querySeconds: 2 }
    const secure = (await serveStore({ state, database: "backflow", serve, limits })) as ServedStore
    const reader = (password: string, ca?: Buffer) =>
      createClient({
        url: secure.url,
        username: "reader",
        password,
        ...(ca && { tls: { ca_cert: ca } }),
        log: { level: ClickHouseLogLevel.OFF },
      })
    const [known, stranger, untrusting] = [
      reader("a-token-that-its-readers-know", cert),
      reader(token, cert),
      reader("a-token-that-its-readers-know"),
    ]
    const count = async (from: ClickHouseClient) =>
      (await from.query({ query: "SELECT count() AS n FROM connections", format: "JSONEachRow" })).json()
    try {
      expect(await count(known)).toEqual([{ n: 2 }])
      await expect(count(stranger)).rejects.toMatchObject({ code: "516" })
      await expect(count(untrusting)).rejects.toThrow(/self-signed/)
    } finally {
      await Promise.all([known, stranger, untrusting].map((one) => one.close()))
      await secure.close()
    }
  })
})
