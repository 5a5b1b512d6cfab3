import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { FindingDetail, IncidentDetail, IncidentList } from "@backflow/page/contract"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { findingJson, incidentJson } from "../documents/finding-json.js"
import { LiveFindings } from "./live/live-findings.js"
import type { PageQueries } from "./api/api.js"
import { ask, theStore, aPage } from "../testing/page.js"
import type { Web } from "./start.js"
import { aFinding, anIncident } from "../testing/findings.js"
import { outputWith } from "../testing/outputs.js"

let folder: string
let live: LiveFindings
let undo: (() => Promise<void>)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-web-"))
  mkdirSync(join(folder, "dist", "assets"), { recursive: true })
  writeFileSync(join(folder, "dist", "index.html"), "<!doctype html><title>Backflow</title>")
  writeFileSync(join(folder, "dist", "assets", "app-1a2b.js"), "export const x = 1\n".repeat(500))
  writeFileSync(join(folder, "secret.txt"), "s3cret")
})

afterEach(async () => {
  for (const step of undo.reverse()) await step()
  undo = []
  rmSync(folder, { recursive: true, force: true })
})

async function serve(queries: Partial<PageQueries> = {}, changes: Parameters<typeof aPage>[1] = {}): Promise<Web> {
  const parts = await aPage(folder, { queries: theStore(queries), files: join(folder, "dist"), ...changes })
  undo.push(() => parts.web.stop(0))
  live = parts.live
  return parts.web
}

const tokenOf = (web: Web) => new URL(web.signInAddress).hash.slice("#token=".length)
const listOf = ({ body }: { readonly body: string }) => JSON.parse(body) as IncidentList
const bearer = (web: Web) => ({ authorization: `Bearer ${tokenOf(web)}` })

describe("who may read", () => {
  it("nobody without the token, and everybody the page and the probes", async () => {
    const web = await serve()
    for (const path of ["/api/overview", "/api/events", "/api/none", "/metrics", "/version"])
      expect(await ask(web.address, path), path).toMatchObject({ status: 401 })
    for (const path of ["/", "/livez", "/readyz"])
      expect(await ask(web.address, path), path).toMatchObject({ status: 200 })
    expect(await ask(web.address, "/version", { headers: bearer(web) })).toMatchObject({ body: '{"version":"0.1.0"}' })
  })

  it("a browser with the cookie that it gets for the token, which is not the token", async () => {
    const web = await serve()
    const session = await ask(web.address, "/api/session", { method: "POST", headers: bearer(web) })
    expect(session.status).toBe(204)
    const [cookie = ""] = session.headers["set-cookie"] ?? []
    expect(cookie).toMatch(/^backflow_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/)
    expect(cookie).not.toContain(tokenOf(web))
    const shown = { cookie: `other=1; ${cookie.split(";")[0] ?? ""}` }
    expect(await ask(web.address, "/api/overview", { headers: shown })).toMatchObject({ status: 200 })
    expect(await ask(web.address, "/api/overview", { headers: { cookie: "backflow_session=x" } })).toMatchObject({
      status: 401,
    })
  })

  it("nobody with a wrong token, and each of many only slowly", async () => {
    const web = await serve()
    const wrong = { headers: { authorization: `Bearer ${tokenOf(web)}x` } }
    const began = performance.now()
    const responses = await Promise.all(Array.from({ length: 20 }, () => ask(web.address, "/api/overview", wrong)))
    expect(performance.now() - began).toBeGreaterThan(900)
    expect(responses.map(({ status }) => status).sort()).toEqual([
      ...Array<number>(16).fill(401),
      ...Array<number>(4).fill(429),
    ])
    const { body } = await ask(web.address, "/metrics", { headers: bearer(web) })
    expect(body).toContain('backflow_page_refused_total{reason="wrong_token"} 20')
  })

  it("no site that has its own name, and none that signs in from elsewhere", async () => {
    const web = await serve()
    const rebound = { ...bearer(web), host: "attacker.example" }
    for (const path of ["/", "/api/overview"])
      expect(await ask(web.address, path, { headers: rebound })).toMatchObject({ status: 421 })
    const foreign = { ...bearer(web), origin: "http://attacker.example" }
    expect(await ask(web.address, "/api/session", { method: "POST", headers: foreign })).toMatchObject({ status: 403 })
    const own = { ...bearer(web), origin: web.address }
    expect(await ask(web.address, "/api/session", { method: "POST", headers: own })).toMatchObject({ status: 204 })
  })

  it("takes no bodies and no other methods", async () => {
    const web = await serve()
    const posted = { method: "POST", headers: bearer(web) }
    expect(await ask(web.address, "/api/session", { ...posted, body: "x" })).toMatchObject({ status: 413 })
    expect(await ask(web.address, "/api/overview", posted)).toMatchObject({ status: 405 })
  })

  it("keeps its token over restarts, for this user alone", async () => {
    const first = await serve()
    const second = await serve()
    expect(tokenOf(second)).toBe(tokenOf(first))
    expect(statSync(first.tokenFile).mode & 0o777).toBe(0o600)
    expect(readFileSync(first.tokenFile, "utf8").trim()).toBe(tokenOf(first))
  })

  it("refuses a token that could be guessed", async () => {
    const tokenFile = join(folder, "token")
    writeFileSync(tokenFile, "short\n")
    await expect(serve({}, { page: { address: "127.0.0.1:0", tls: undefined, tokenFile } })).rejects.toMatchObject({
      code: "config",
    })
  })
})

describe("files", () => {
  it("come as what they are, compressed, and hashed ones for ever", async () => {
    const web = await serve()
    const index = await ask(web.address, "/")
    expect(index.headers).toMatchObject({ "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" })
    expect(index.headers["content-security-policy"]).toContain("default-src 'self'")
    expect(index.headers["content-security-policy"]).toContain("frame-ancestors 'none'")
    const script = await ask(web.address, "/assets/app-1a2b.js", { headers: { "accept-encoding": "gzip" } })
    expect(script.headers).toMatchObject({
      "content-encoding": "gzip",
      "cache-control": "public, max-age=31536000, immutable",
    })
  })

  it.each(["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "//etc/passwd"])(
    "never leave the folder: %s",
    async (path) => {
      const got = await ask((await serve()).address, path)
      expect(got.status).toBe(404)
      expect(got.body).not.toContain("s3cret")
    },
  )
})

describe("the address", () => {
  it("is another where the usual one is taken, and an error where a chosen one is", async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve))
    undo.push(() => new Promise((resolve) => other.close(() => resolve())))
    const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`
    await expect(serve({}, { page: { address: taken, tls: undefined, tokenFile: undefined } })).rejects.toMatchObject({
      code: "address-in-use",
    })
    const unchosen = { page: { address: undefined, tls: undefined, tokenFile: undefined } }
    const [first, second] = [await serve({}, unchosen), await serve({}, unchosen)]
    expect(first.address).not.toBe(second.address)
    expect(await ask(second.address, "/livez")).toMatchObject({ status: 200 })
  })
})

describe("incidents and findings", () => {
  it("come from memory as they arrive", async () => {
    const web = await serve()
    const finding = aFinding()
    await live.write([outputWith({ findings: [finding], incidents: [anIncident({ findings: [finding.id] })] })])
    const get = async (path: string): Promise<unknown> =>
      JSON.parse((await ask(web.address, path, { headers: bearer(web) })).body)
    const list = (await get("/api/incidents")) as IncidentList
    expect(list).toMatchObject({ total: 1, incidents: [{ severity: "high", findings: 1 }] })
    const incident = (await get(`/api/incidents/${list.incidents[0]?.id ?? ""}`)) as IncidentDetail
    expect(incident.findings).toMatchObject([{ id: finding.id, class: "reverse_tunnel" }])
    const detail = (await get(`/api/findings/${finding.id}`)) as FindingDetail
    expect(detail.finding).toEqual(findingJson(finding))
    expect(detail.incident?.id).toBe(incident.id)
    expect(detail.policy?.deny).toContain("203.0.113.9:443")
    expect(await get("/api/overview")).toMatchObject({ openIncidents: 1, openFindings: { high: 1 } })
  })

  it("begin with what the store has, and closed ones are looked up there", async () => {
    const [open, closed] = [anIncident(), anIncident({ id: "1c3f8a52-0f0e-5b7c-9d58-5a1f5f6f7a11", status: "closed" })]
    const web = await serve({
      openIncidents: () => Promise.resolve([incidentJson(open)]),
      incidents: () => Promise.resolve([incidentJson(closed)]),
      incident: (id) => Promise.resolve(id === closed.id ? incidentJson(closed) : undefined),
    })
    const get = (path: string) => ask(web.address, path, { headers: bearer(web) })
    expect(listOf(await get("/api/incidents?status=open")).incidents.map(({ id }) => id)).toEqual([open.id])
    expect(listOf(await get("/api/incidents?status=all")).total).toBe(2)
    expect(await get(`/api/incidents/${closed.id}`)).toMatchObject({ status: 200 })
    expect(await get(`/api/findings/${closed.id}`)).toMatchObject({ status: 404 })
    expect(await get("/api/incidents?limit=0")).toMatchObject({ status: 400 })
    expect(await get("/api/findings/..%2f..")).toMatchObject({ status: 404 })
  })

  it("are 503 with a sentence while the store is unreachable", async () => {
    const away = () => Promise.reject(new Error("connect ECONNREFUSED"))
    const web = await serve({ incident: away })
    const got = await ask(web.address, "/api/incidents/1c3f8a52-0f0e-5b7c-9d58-5a1f5f6f7a11", { headers: bearer(web) })
    expect(got.status).toBe(503)
    expect(got.body).toMatch(/The store is unreachable/)
    expect(got.body).not.toContain("ECONNREFUSED")
  })
})

describe("a stop", () => {
  it("shows in readiness first, while the page still responds", async () => {
    const web = await serve()
    web.retire()
    const ready = await ask(web.address, "/readyz")
    expect(ready.status).toBe(503)
    expect(ready.body).toContain("the analyzer is stopping")
    expect(await ask(web.address, "/livez")).toMatchObject({ status: 200 })
    await web.stop(0)
    await expect(ask(web.address, "/livez")).rejects.toThrow(/ECONNREFUSED/)
  })
})
