import { readFileSync, renameSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { alertId } from "../outbox/alert.js"
import type { Alert } from "../outbox/alert.js"
import type { AlertQueue } from "../outbox/alert-queue.js"
import { AlertSinkError, AlertsRefused } from "./alert-sink.js"
import type { AlertSink } from "./alert-sink.js"
import { FileSink } from "../file/sink.js"
import { formatter } from "../formats/formatter.js"
import { Publisher } from "./publisher.js"
import { aQueue } from "../../testing/alerts.js"
import { idOf, aFinding } from "../../testing/findings.js"
import { aFolder } from "../../testing/folder.js"
import { aLog } from "../../testing/log.js"
import { outputOf } from "../../testing/outputs.js"
import { until } from "../../testing/until.js"

/** A destination that answers each send by `answer`, and notes the ids that it took. */
class Destination implements AlertSink {
  readonly name = "destination"
  readonly maxAlerts = 200
  respond: (alerts: readonly Alert[]) => Promise<void> = () => Promise.resolve()
  readonly sends: string[][] = []
  readonly taken: string[] = []
  isClosed = false

  async send(alerts: readonly Alert[]): Promise<void> {
    const ids = alerts.map(alertId)
    this.sends.push(ids)
    await this.respond(alerts)
    this.taken.push(...ids)
  }

  close(): Promise<void> {
    this.isClosed = true
    return Promise.resolve()
  }
}

async function make(folder = aFolder()) {
  const queue = await aQueue(folder)
  const destination = new Destination()
  const log = aLog()
  const publisher = new Publisher(queue, destination, log)
  onTestFinished(async () => {
    await publisher.stop(0)
  })
  return { queue, destination, publisher, log, folder }
}

const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `${idOf(from + i)}:1`)
const write = (queue: AlertQueue, from: number, to: number) =>
  queue.write([outputOf(...Array.from({ length: to - from + 1 }, (_, i) => aFinding({ id: idOf(from + i) })))])

describe("a publisher", () => {
  it("sends what comes, in order, and acknowledges it", async () => {
    const { queue, destination, publisher } = await make()
    await write(queue, 1, 3)
    await until("three are taken", () => destination.taken.length === 3)
    await write(queue, 4, 500)
    await until("nothing waits", () => queue.counts.depth === 0)
    expect(destination.taken).toEqual(ids(1, 500))
    expect(publisher).toMatchObject({ published: 500, errors: 0, condition: { state: "ok" } })
  })

  it("tries for ever, and tells a failure once", async () => {
    const { queue, destination, publisher, log } = await make()
    let left = 3
    destination.respond = () => (left-- > 0 ? Promise.reject(new AlertSinkError("nobody there")) : Promise.resolve())
    await write(queue, 1, 2)
    await until("it fails", () => publisher.errors === 1)
    expect(publisher.condition).toEqual({ state: "failing", text: "nobody there" })
    await until("both are taken", () => destination.taken.length === 2)
    await until("it is well again", () => publisher.condition.state === "ok")
    expect(publisher.errors).toBe(3)
    expect(log.lines.map((line) => line.split(" ")[0])).toEqual(["warn", "info"])
  })

  it("puts aside the one that is refused, and sends all others in order", async () => {
    const { queue, destination, publisher, folder } = await make()
    destination.respond = (alerts) =>
      alerts.some(({ finding }) => finding.id === idOf(70))
        ? Promise.reject(new AlertsRefused("too large"))
        : Promise.resolve()
    await write(queue, 1, 300)
    await until("nothing waits", () => queue.counts.depth === 0)
    expect(destination.taken).toEqual([...ids(1, 69), ...ids(71, 300)])
    expect(destination.sends.length).toBeLessThan(30)
    expect([queue.counts.refused, publisher.published, publisher.errors]).toEqual([1, 299, 0])
    expect(readFileSync(join(folder, "refused.jsonl"), "utf8")).toContain(idOf(70))
  })

  it("believes a destination that says which it refused", async () => {
    const { queue, destination, publisher } = await make()
    destination.respond = (alerts) =>
      Promise.reject(
        new AlertsRefused(
          "no",
          alerts.slice(0, 1).map((alert) => ({ alert, reason: "422" })),
        ),
      )
    await write(queue, 1, 10)
    await until("nothing waits", () => queue.counts.depth === 0)
    expect([destination.sends.length, queue.counts.refused, publisher.published]).toEqual([1, 1, 9])
  })

  it("sends what waits when it is stopped, and closes its destination", async () => {
    const { queue, destination, publisher } = await make()
    await write(queue, 1, 600)
    expect(await publisher.stop(5_000)).toBe(true)
    expect(destination.taken).toHaveLength(600)
    expect(destination.isClosed).toBe(true)
  })

  it("does not wait beyond its grace for a destination that hangs; the next run sends it", async () => {
    const folder = aFolder()
    const { queue, destination, publisher } = await make(folder)
    destination.respond = () => new Promise(() => undefined)
    await write(queue, 1, 5)
    await until("a send is under way", () => destination.sends.length === 1)
    expect(await publisher.stop(20)).toBe(false)
    expect(publisher.condition.state).toBe("stopped")
    const { destination: next } = await make(folder)
    await until("all are taken", () => next.taken.length === 5)
  })
})

describe("alerts in a file", () => {
  it("are lines, also after the file was renamed", async () => {
    const folder = aFolder()
    const path = join(folder, "alerts.jsonl")
    const queue = await aQueue(join(folder, "outbox"))
    const publisher = new Publisher(queue, new FileSink(path, formatter("ocsf", "/test", "0.0.0")), aLog())
    await write(queue, 1, 2)
    await until("two are written", () => publisher.published === 2)
    renameSync(path, `${path}.1`)
    await write(queue, 3, 3)
    expect(await publisher.stop(5_000)).toBe(true)
    const uids = [`${path}.1`, path].map((file) =>
      readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { metadata: { uid: string } }).metadata.uid),
    )
    expect(uids).toEqual([ids(1, 2), ids(3, 3)])
  })
})
