import { once } from "node:events"
import { createServer } from "node:http"
import { createServer as createSecureServer } from "node:https"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import { loopbackCertificate } from "../../testing/loopback-certificate.js"
import { anAlert } from "../../testing/alerts.js"
import { idOf } from "../../testing/findings.js"
import { aFolder } from "../../testing/folder.js"
import { AlertsRefused } from "../publish/alert-sink.js"
import { formatter } from "../formats/formatter.js"
import { WebhookSink } from "./sink.js"
import type { WebhookOptions } from "./sink.js"

interface Got {
  readonly id: string
  readonly headers: IncomingMessage["headers"]
  readonly body: { readonly version: number }
}

/** A server that answers by `answer`, and notes what it took in. Undefined leaves the request without an answer. */
async function serve(
  respond: (id: string) => number | undefined,
  tls?: { readonly key: Buffer; readonly cert: Buffer },
) {
  const got: Got[] = []
  const parallel = { now: 0, max: 0 }
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    parallel.now += 1
    parallel.max = Math.max(parallel.max, parallel.now)
    let text = ""
    for await (const chunk of request) text += String(chunk)
    const id = String(request.headers["ce-id"])
    got.push({ id, headers: request.headers, body: JSON.parse(text) as Got["body"] })
    parallel.now -= 1
    const status = respond(id)
    if (status !== undefined) response.writeHead(status).end("a response")
  }
  const listen = (request: IncomingMessage, response: ServerResponse) => void handle(request, response)
  const server = tls === undefined ? createServer(listen) : createSecureServer(tls, listen)
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    got,
    parallel,
  }
}

function sinkTo(url: string, options: Partial<WebhookOptions> = {}): WebhookSink {
  const sink = new WebhookSink(
    { url, token: undefined, authority: undefined, responseMs: 10_000, ...options },
    formatter("finding", "/backflow/test host", "0.0.0"),
  )
  onTestFinished(() => sink.close())
  return sink
}

const versions = (n: number, ...numbers: readonly number[]) =>
  numbers.map((version) => anAlert({}, { id: idOf(n), version }))

describe("a webhook", () => {
  it("over TLS is trusted by the authority that the configuration names, and by no other", async () => {
    const tls = loopbackCertificate(aFolder())
    const { url, got } = await serve(() => 204, tls)
    await expect(sinkTo(url).send(versions(1, 1))).rejects.toThrow(/self-signed/)
    expect(got).toHaveLength(0)
    await sinkTo(url, { authority: tls.cert }).send(versions(1, 1))
    expect(got).toHaveLength(1)
  })

  it("gets one event a request, with its attributes as headers and the token", async () => {
    const { url, got } = await serve(() => 204)
    await sinkTo(url, { token: "t0ken" }).send(versions(1, 1))
    expect(got).toHaveLength(1)
    expect(got[0]).toMatchObject({
      headers: {
        authorization: "Bearer t0ken",
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": `${idOf(1)}:1`,
        "ce-type": "backflow.finding.created.v1",
        "ce-source": "/backflow/test%20host",
      },
      body: { id: idOf(1), version: 1 },
    })
  })

  it("gets the versions of one finding in order, and several findings at once", async () => {
    const { url, got, parallel } = await serve(() => 200)
    const alerts = [1, 2, 3, 4, 5, 6].flatMap((n) => versions(n, 1, 2, 3))
    await sinkTo(url).send(alerts)
    for (const n of [1, 2, 3, 4, 5, 6]) {
      const seen = got.filter(({ id }) => id.startsWith(idOf(n))).map(({ body }) => body.version)
      expect(seen).toEqual([1, 2, 3])
    }
    expect(parallel.max).toBeLessThanOrEqual(4)
  })

  it.each([400, 413, 422])("refuses one alert by %d, and takes the others", async (status) => {
    const { url, got } = await serve((id) => (id === `${idOf(2)}:1` ? status : 200))
    const alerts = [...versions(1, 1), ...versions(2, 1), ...versions(3, 1)]
    const failure = await sinkTo(url)
      .send(alerts)
      .catch((thrown: unknown) => thrown)
    expect(failure).toBeInstanceOf(AlertsRefused)
    expect((failure as AlertsRefused).refusals).toMatchObject([
      { alert: { finding: { id: idOf(2) } }, reason: expect.stringContaining(`responded ${status}`) as string },
    ])
    expect(got).toHaveLength(3)
  })

  it.each([
    [500, /responded 500/],
    [503, /responded 503/],
    [302, /responded 302/],
    [429, /responded 429/],
    [401, /token_file/],
    [404, /alerts\.webhook\.url/],
  ])("is retried after %d", async (status, words) => {
    let isFailing = true
    const { url, got } = await serve((id) => (isFailing && id === `${idOf(1)}:2` ? status : 200))
    const sink = sinkTo(url)
    const alerts = versions(1, 1, 2, 3)
    await expect(sink.send(alerts)).rejects.toThrow(words)
    isFailing = false
    await sink.send(alerts)
    // What was taken at once is not sent again, and the rest stays in order.
    expect(got.map(({ body }) => body.version)).toEqual([1, 2, 2, 3])
  })

  it("says when the server is unreachable", async () => {
    await expect(sinkTo("http://127.0.0.1:1/").send(versions(1, 1))).rejects.toThrow(/127\.0\.0\.1:1 is unreachable/)
  })

  it("does not wait for ever for a response", async () => {
    const { url } = await serve(() => undefined)
    await expect(sinkTo(url, { responseMs: 50 }).send(versions(1, 1))).rejects.toThrow("no response in 50 ms")
  })
})
