import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { pidOf } from "../lab/case.js"
import { addresses, makeNetwork } from "../lab/network.js"
import type { LabNetwork } from "../lab/network.js"
import { waitForLine, waitForSuccess } from "../lab/processes.js"
import { missingForLab } from "../lab/requirements.js"
import { missingForWan } from "../lab/wan.js"
import { Watch } from "../lab/watch.js"

const missing = missingForLab() ?? missingForWan()
if (missing !== undefined) console.log(`round trip: skipped, ${missing}`)

/** Longer than the silence that ends an exchange (SILENCE_NS of bpf/exchanges.bpf.h). */
const wan = { roundTripMs: 300, lossPercent: 0 }
const requests = 12
/** Each answer is one message: the second of two would come a round trip later, by Nagle's algorithm. */
const server = `
import socket
listener = socket.create_server(("${addresses.outside}", 8001))
print("listening", flush=True)
a, _ = listener.accept()
while asked := a.recv(65536):
    a.sendall(b"a" * 2 * len(asked))
`
/** Asks on one connection, the next time as soon as the answer is there. */
const client = `
import socket
with socket.create_connection(("${addresses.outside}", 8001)) as a:
    for i in range(${requests}):
        asked = b"q" * (100 + 37 * i)
        a.sendall(asked)
        answered = 0
        while answered < 2 * len(asked):
            answered += len(a.recv(65536))
`

describe.skipIf(missing !== undefined)("behind a long round trip", () => {
  let network: LabNetwork
  let watch: Watch
  const cleanUp: (() => unknown)[] = []

  beforeAll(async () => {
    network = makeNetwork(wan)
    cleanUp.push(network.remove)
    await waitForLine(network.start("outside", "/usr/bin/python3", "-c", server), "listening")
    watch = await Watch.start(network.folder)
    cleanUp.push(() => watch.stop())
  }, 60_000)

  afterAll(async () => {
    for (const step of cleanUp.reverse()) await step()
  }, 30_000)

  it("a client that asks is not led by the far side that answers", async () => {
    const asking = network.start("inside", "/usr/bin/python3", "-c", client)
    await waitForSuccess(asking)
    const ofClient = () => watch.connections().filter(({ pid, closed }) => pid === pidOf(asking) && closed === "closed")
    await expect.poll(ofClient, { timeout: 20_000 }).toHaveLength(1)
    watch.poll()
    const claims = watch.arrivals.filter(({ finding }) => finding.process.pid === pidOf(asking))
    expect(claims.map(({ finding }) => finding.class)).toEqual([])
  }, 60_000)
})
