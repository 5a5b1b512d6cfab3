import { serveStore } from "@backflow/analyzer/store/http/serve-store"
import type { ServedStore } from "@backflow/analyzer/store/http/serve-store"
import { readFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { seed, temporaryStore } from "../fixtures/seeded-store.js"
import type { TemporaryStore } from "../fixtures/seeded-store.js"
import { endSeconds, statementCases } from "../fixtures/statement-cases.js"
import { openingValues, rangeBefore, resolveStatement } from "../plugin/statements.js"
import { story } from "../fixtures/story.js"

let temporary: TemporaryStore
let served: ServedStore
let token: string

beforeAll(async () => {
  temporary = await temporaryStore()
  await seed(temporary.store, story(endSeconds * 1_000_000))
  const serving = await serveStore({
    state: temporary.state,
    database: "backflow",
    serve: { address: "127.0.0.1:0", tls: undefined, tokenFile: undefined },
    limits: { memoryBytes: 1_000_000_000, querySeconds: 10 },
  })
  if (serving === undefined) throw new Error("the store is not served")
  served = serving
  token = readFileSync(served.tokenFile, "utf8").trim()
})

afterAll(async () => {
  await served.close()
  await temporary.close()
})

const query = (sql: string, format: string) =>
  fetch(`${served.url}/?database=backflow&default_format=${format}`, {
    method: "POST",
    body: sql,
    headers: { authorization: `Bearer ${token}` },
  })

describe("through the read-only interface of the embedded store", () => {
  it.each(statementCases)("%s is answered as without it", async (_, dashboard, statement) => {
    const sql = resolveStatement(
      statement.sql,
      rangeBefore(endSeconds, dashboard.time.from, statement.panel),
      openingValues(dashboard),
    )
    const expected = await temporary.session.rows(sql)
    const text = await query(sql, "JSONEachRow")
    const body = await text.text()
    expect(text.status, body).toBe(200)
    expect(body.split("\n").filter((line) => line !== "").length).toBe(expected.length)
    // What the data source reads.
    const native = await query(sql, "Native")
    expect(native.status).toBe(200)
    expect((await native.arrayBuffer()).byteLength > 0).toBe(expected.length > 0)
  })
})
