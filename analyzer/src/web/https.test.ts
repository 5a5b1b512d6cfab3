import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { request } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import type { Web } from "./start.js"
import { aPage } from "../testing/page.js"

const token = "a token that its readers know".replaceAll(" ", "-")
let folder: string
let ca: Buffer
let web: Web

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "backflow-https-"))
  const [key, certificate, tokenFile] = ["key.pem", "cert.pem", "token"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const subject = ["-subj", "/CN=page.example", "-addext", "subjectAltName=IP:127.0.0.1,DNS:page.example"]
  const made = ["-days", "2", "-nodes", "-keyout", key, "-out", certificate, ...subject]
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", ...made], { stdio: "pipe" })
  writeFileSync(tokenFile, `${token}\n`)
  ca = readFileSync(certificate)
  const page = { tls: { certFile: certificate, keyFile: key }, tokenFile }
  web = (await aPage(folder, { page })).web
})

afterEach(async () => {
  await web.stop(0)
  rmSync(folder, { recursive: true })
})

interface Got {
  readonly status: number | undefined
  readonly cookie: string | undefined
}

function ask(path: string, method: string, headers: Readonly<Record<string, string>>, trusted: Buffer[]): Promise<Got> {
  const { port } = new URL(web.address)
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, path, method, headers, ca: trusted, servername: "page.example", agent: false },
      (response) => {
        response
          .resume()
          .on("end", () => resolve({ status: response.statusCode, cookie: response.headers["set-cookie"]?.[0] }))
      },
    )
    sent.on("error", reject)
    sent.end()
  })
}

const bearer = { authorization: `Bearer ${token}` }

it("answers over TLS to who knows the token of the file, with a cookie that never leaves TLS", async () => {
  expect(web.address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  expect(await ask("/api/overview", "GET", bearer, [ca])).toMatchObject({ status: 200 })
  const session = await ask("/api/session", "POST", bearer, [ca])
  expect(session).toMatchObject({ status: 204, cookie: expect.stringMatching(/; Secure$/) as string })
  const cookie = session.cookie?.split(";")[0] ?? ""
  expect(await ask("/api/overview", "GET", { cookie }, [ca])).toMatchObject({ status: 200 })
})

it("is reached by the names of its certificate, and by no other", async () => {
  const named = (host: string) => ask("/version", "GET", { ...bearer, host }, [ca])
  expect(await named("page.example")).toMatchObject({ status: 200 })
  expect(await named("evil.example")).toMatchObject({ status: 421 })
})

it("is not trusted by who does not know its authority", async () => {
  await expect(ask("/livez", "GET", {}, [])).rejects.toThrow(/self-signed/)
})
