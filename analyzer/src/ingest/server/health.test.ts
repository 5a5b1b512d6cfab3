import { Client, credentials } from "@grpc/grpc-js"
import { service } from "grpc-health-check"
import { afterEach, describe, expect, it } from "vitest"
import type { Analyzer } from "../../service/analyzer.js"
import { anAnalyzer } from "../../testing/analyzer.js"

const done = () => Promise.resolve()
let analyzer: Analyzer
let client: Client

afterEach(async () => {
  client.close()
  await analyzer.stop(0)
})

async function start(): Promise<void> {
  const store = { name: "store", write: done }
  analyzer = anAnalyzer({ store }, { token: "a token that probes do not have" })
  await analyzer.start()
  client = new Client(analyzer.address, credentials.createInsecure())
}

const { Check: check, Watch: watch } = service
if (check === undefined || watch === undefined) throw new Error("the health service has other methods now")

describe("grpc.health.v1.Health", () => {
  it.each(["", "backflow.v1.Collector"])("says without a token that %j serves", async (name) => {
    await start()
    const answer = await new Promise((resolve, reject) => {
      client.makeUnaryRequest(check.path, check.requestSerialize, check.responseDeserialize, { service: name }, (error, value) => (error === null ? resolve(value) : reject(error))) // prettier-ignore
    })
    expect(answer).toEqual({ status: "SERVING" })
  })

  it("tells who watches that a stop began", async () => {
    await start()
    const call = client.makeServerStreamRequest(watch.path, watch.requestSerialize, watch.responseDeserialize, { service: "" }) // prettier-ignore
    call.on("error", () => undefined)
    const statuses: unknown[] = []
    const reports = (status: string) =>
      new Promise<void>((resolve) =>
        call.on("data", (value: { readonly status: string }) => {
          statuses.push(value.status)
          if (value.status === status) resolve()
        }),
      )
    await reports("SERVING")
    const stopping = reports("NOT_SERVING")
    await analyzer.stop(0)
    await stopping
    expect(statuses).toContain("NOT_SERVING")
  })
})
