import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Finding } from "../../domain/finding.js"
import type { Severity } from "../../domain/severity.js"
import { AppError } from "../../errors.js"
import type { Sink } from "../../sinks/sink.js"
import { alertId } from "./alert.js"
import type { AlertQueue } from "./alert-queue.js"
import { Outbox } from "./outbox.js"
import { OutboxThenStore } from "../outbox-then-store.js"
import { anAlert, aQueue } from "../../testing/alerts.js"
import { idOf, aFinding } from "../../testing/findings.js"
import { aFolder } from "../../testing/folder.js"
import { aLog } from "../../testing/log.js"
import { anOutput, outputOf } from "../../testing/outputs.js"
import { startMs, startUs } from "../../testing/time.js"

const waiting = async (queue: AlertQueue) =>
  (await queue.peek(1_000, 10_000_000)).map(({ alert }) => `${alert.kind} ${alert.finding.version}`)

async function drain(queue: AlertQueue): Promise<void> {
  for (let found = await queue.peek(100, 1e6); found.length > 0; found = await queue.peek(100, 1e6)) {
    const last = found.at(-1)
    if (last) await queue.acknowledge(last)
  }
}

describe("a queue of alerts", () => {
  it("holds only what is selected", async () => {
    const queue = await aQueue(aFolder())
    await queue.write([outputOf(aFinding(), aFinding({ id: idOf(2), severity: "low" })), outputOf()])
    expect(await waiting(queue)).toEqual(["created 1"])
  })

  it("does not append the same array twice, and another one with the same findings does", async () => {
    const queue = await aQueue(aFolder())
    const outputs = [outputOf(aFinding())]
    await queue.write(outputs)
    await queue.write(outputs)
    expect(await waiting(queue)).toEqual(["created 1"])
    await queue.write([...outputs])
    expect(await waiting(queue)).toEqual(["created 1", "created 1"])
  })

  it("knows after a restart what has left, sent or not", async () => {
    const folder = aFolder()
    const first = await aQueue(folder)
    await first.write([outputOf(aFinding(), aFinding({ id: idOf(2) }))])
    await drain(first)
    const second = await aQueue(folder)
    await second.write([outputOf(aFinding({ version: 2 }), aFinding({ id: idOf(2), version: 2, status: "closed" }))])
    expect(await waiting(second)).toEqual(["updated 2", "closed 2"])
  })

  it("knows it when the segments that held it are long gone", async () => {
    const folder = aFolder()
    const first = await aQueue(folder)
    await first.write([outputOf(aFinding())])
    for (let n = 2; n < 400; n++) await first.write([outputOf(aFinding({ id: idOf(n) }))])
    await drain(first)
    expect(JSON.parse(readFileSync(join(folder, "ledger.json"), "utf8"))).toMatchObject({
      lanes: { high: expect.any(Number) as number },
    })
    const second = await aQueue(folder)
    for (const id of [aFinding().id, idOf(399)]) {
      await second.write([outputOf(aFinding({ id, version: 2, severity: "low", status: "updated" }))])
    }
    expect(await waiting(second)).toEqual(["closed 2", "closed 2"])
  })

  it("puts aside what was refused, with the reason", async () => {
    const folder = aFolder()
    const queue = await aQueue(folder)
    const alert = anAlert()
    await queue.refuse(alert, "too large")
    expect(queue.counts.refused).toBe(1)
    const line = JSON.parse(readFileSync(join(folder, "refused.jsonl"), "utf8")) as Record<string, unknown>
    expect(line).toMatchObject({ reason: "too large", kind: "created", finding: { id: alert.finding.id } })
  })
})

type Step = Partial<Finding> & { readonly version: number }

/** Writes versions of one finding, each in a call of its own. */
async function writeSteps(queue: AlertQueue, ...steps: readonly Step[]): Promise<void> {
  for (const step of steps) await queue.write([outputOf(aFinding(step))])
}

/** What leaves, one send after the other: "kind version", with the id of another finding before it. */
async function leaving(queue: AlertQueue, records = 100): Promise<string[]> {
  const all: string[] = []
  for (let found = await queue.peek(records, 1e6); found.length > 0; found = await queue.peek(records, 1e6)) {
    for (const { alert } of found) {
      const other = alert.finding.id === aFinding().id ? "" : `${Number(alert.finding.id.slice(-12))} `
      all.push(`${other}${alert.kind} ${alert.finding.version}`)
    }
    const last = found.at(-1)
    if (last) await queue.acknowledge(last)
  }
  return all
}

const other = (n: number, severity: Severity) => [outputOf(aFinding({ id: idOf(n), severity }))]

describe("versions of one finding in several lanes", () => {
  const medium = { version: 1, severity: "medium" } as const
  const high = { version: 2, severity: "high", status: "updated" } as const

  it.each<[string, Step[], string[], number]>([
    ["the graver one first, as the creation, and not the older one", [medium, high], ["created 2"], 1],
    [
      "no closing before what it closes",
      [medium, high, { version: 3, severity: "high", status: "closed" }],
      ["created 2", "closed 3"],
      1,
    ],
    [
      "a closing that is less grave right behind what it closes",
      [
        { ...medium, severity: "high" },
        { version: 2, severity: "low", status: "updated" },
      ],
      ["created 1", "closed 2"],
      0,
    ],
    [
      "a lower version behind a graver one, and none that is older than what left",
      [
        { version: 1, severity: "high" },
        { version: 2, severity: "medium", status: "updated" },
        { version: 3, severity: "high", status: "updated" },
      ],
      ["created 1", "updated 3"],
      1,
    ],
    [
      "versions of one severity, all",
      [medium, { ...medium, version: 2, status: "closed" }],
      ["created 1", "closed 2"],
      0,
    ],
  ])("leave: %s", async (_what, steps, expected, superseded) => {
    const queue = await aQueue(aFolder())
    await writeSteps(queue, ...steps)
    expect(await leaving(queue)).toEqual(expected)
    expect(queue.counts).toMatchObject({ superseded, depth: 0 })
    expect(Object.values(queue.counts.shed)).toEqual([0, 0, 0, 0, 0])
  })

  it("page once: a third version is no second creation", async () => {
    const queue = await aQueue(aFolder())
    await queue.write(other(1, "medium"))
    await writeSteps(queue, medium, high)
    const [first] = await queue.peek(1, 1e6)
    expect(first?.alert).toMatchObject({ kind: "created", finding: { version: 2 } })
    if (first) await queue.acknowledge(first)
    await writeSteps(queue, { ...high, version: 3 })
    expect(await leaving(queue)).toEqual(["updated 3", "1 created 1"])
  })

  it("are not mixed up by a restart while an older one still waits", async () => {
    const folder = aFolder()
    const queue = await aQueue(folder)
    await queue.write(other(1, "medium"))
    await writeSteps(queue, medium, high)
    const [first] = await queue.peek(1, 1e6)
    if (first) await queue.acknowledge(first)
    const next = await aQueue(folder)
    await writeSteps(next, { ...high, version: 3 }, { ...high, version: 4, status: "closed" })
    expect(await leaving(next)).toEqual(["updated 3", "closed 4", "1 created 1"])
    expect(await leaving(await aQueue(folder))).toEqual([])
  })

  it("are as they were when one send holds several of them", async () => {
    const queue = await aQueue(aFolder())
    await writeSteps(
      queue,
      medium,
      { ...medium, version: 2, status: "updated" },
      { ...medium, version: 3, status: "closed" },
    )
    expect(await leaving(queue, 2)).toEqual(["created 1", "updated 2", "closed 3"])
  })
})

describe("an outbox that is full", () => {
  /** More than its room, of one severity. */
  const fill = async (queue: AlertQueue, severity: Severity) => {
    for (let n = 1; n <= 1_200; n += 50) {
      const findings = Array.from({ length: 50 }, (_, i) => aFinding({ id: idOf(n + i), severity }))
      await queue.write([outputOf(...findings)])
    }
  }

  it("does not close what it dropped before it could be created", async () => {
    const folder = aFolder()
    const queue = await aQueue(folder)
    await writeSteps(queue, { version: 1, severity: "medium" })
    await fill(queue, "medium")
    expect(queue.counts.shed.medium).toBeGreaterThan(0)
    const next = await aQueue(folder)
    await writeSteps(next, { version: 2, severity: "medium", status: "closed" })
    expect((await leaving(next)).filter((text) => !text.startsWith("1") && text.includes("closed"))).toEqual([])
  })

  it("tells of what it dropped as new when it changes", async () => {
    const queue = await aQueue(aFolder())
    await writeSteps(queue, { version: 1, severity: "medium" })
    await fill(queue, "medium")
    await writeSteps(queue, { version: 2, severity: "high", status: "updated" })
    expect((await leaving(queue))[0]).toBe("created 2")
  })

  it("keeps what is grave", async () => {
    const queue = await aQueue(aFolder())
    await writeSteps(queue, { version: 1, severity: "high" })
    await fill(queue, "medium")
    expect((await leaving(queue))[0]).toBe("created 1")
    expect(queue.counts.shed.high).toBe(0)
  })
})

describe("many findings of one identity", () => {
  const at = (n: number, changes: Partial<Finding> = {}) => aFinding({ id: idOf(n), severity: "medium", ...changes })
  const flood = outputOf(...Array.from({ length: 500 }, (_, n) => at(n)))

  it("leave as the first few and one sum; of the rest no closing leaves, of the sum it does", async () => {
    const queue = await aQueue(aFolder(), { perIdentityPerMinute: 10 })
    await queue.write([flood])
    const report = { atUs: startUs + 60e6, liveConnections: 0, processes: 0, evicted: 0 }
    await queue.write([anOutput(2, { report })])
    const closed = { version: 2, status: "closed", detectedAtUs: startUs + 61e6 } as const
    await queue.write([outputOf(...Array.from({ length: 500 }, (_, n) => at(n, closed)))])
    const kinds = (await leaving(queue)).map((text) => text.split(" ").slice(-2).join(" "))
    expect(kinds).toEqual([...Array<string>(11).fill("created 1"), ...Array<string>(11).fill("closed 2")])
    expect(queue.counts).toMatchObject({ limited: 490, depth: 0, superseded: 0 })
  })

  it("do not hold a graver one of it back", async () => {
    const queue = await aQueue(aFolder(), { perIdentityPerMinute: 10 })
    await queue.write([flood, outputOf(at(900, { severity: "high" }), at(7, { severity: "critical", version: 2 }))])
    const [first] = await queue.peek(10, 1e6)
    expect(first?.alert).toMatchObject({ kind: "created", finding: { id: idOf(7), version: 2 } })
    expect((await leaving(queue)).slice(0, 2)).toEqual(["7 created 2", "900 created 1"])
  })

  it("are summed when the analyzer stops, and by the clock", async () => {
    const folder = aFolder()
    let nowMs = startMs
    const queue = await aQueue(folder, { perIdentityPerMinute: 10, nowMs: () => nowMs })
    await queue.write([flood])
    await queue.sum()
    expect(queue.counts.depth).toBe(10)
    nowMs += 100_000
    await queue.sum()
    expect(queue.counts.depth).toBe(11)
    await queue.write([outputOf(...Array.from({ length: 20 }, (_, n) => at(2_000 + n)))])
    await queue.retire()
    expect((await aQueue(folder)).counts.depth).toBe(22)
  })
})

describe("the outbox of an earlier release, which had one lane", () => {
  it("is taken over: what waits by severity, what its readers know, and nothing twice", async () => {
    const folder = aFolder()
    const log = aLog()
    const options = { folder, segmentBytes: 125_000, nowMs: () => startMs, log, beforeRoll: () => Promise.resolve() }
    const old = await Outbox.open(options)
    const alerts = [
      anAlert({}, { id: idOf(1), severity: "medium" }),
      anAlert({}, { id: idOf(2), severity: "medium" }),
      anAlert({}, { id: idOf(3), severity: "critical" }),
    ]
    await old.append(alerts.map((alert) => Buffer.from(JSON.stringify(alert))))
    const [sent] = await old.peek(1, 1e6)
    if (sent) await old.acknowledge(sent)
    await old.close()
    const known = [[idOf(9), { version: 1, createdAt: anAlert().createdAt }]]
    writeFileSync(join(folder, "ledger.json"), JSON.stringify({ seq: 0, open: known }))

    const queue = await aQueue(folder, { log })
    expect(readdirSync(folder).filter((name) => /\.log$|cursor/.test(name))).toEqual([])
    const closed = (n: number) => aFinding({ id: idOf(n), version: 2, severity: "medium", status: "closed" })
    const next = await aQueue(folder)
    await queue.close()
    await next.write([outputOf(closed(1), closed(9))])
    expect(await leaving(next)).toEqual(["3 created 1", "2 created 1", "1 closed 2", "9 closed 2"])
    expect(log.lines.join()).toContain("taken over")
  })
})

/** A sink that fails so many times, and notes the ids that it was given. */
class FailingStore implements Sink {
  readonly name = "store"
  failures = 0
  readonly written: string[] = []

  write(outputs: Parameters<Sink["write"]>[0]): Promise<void> {
    if (this.failures-- > 0) return Promise.reject(new AppError("store-write", "timeout", "Wait."))
    this.written.push(...outputs.flatMap(({ findings }) => findings.map(({ id, version }) => `${id}:${version}`)))
    return Promise.resolve()
  }
}

describe("outboxes, then the store", () => {
  it("has the alert on disk before the store is written, and once however often the store fails", async () => {
    const folder = aFolder()
    const queue = await aQueue(folder)
    const store = new FailingStore()
    const sink = new OutboxThenStore([queue], store)
    const outputs = [outputOf(aFinding())]
    store.failures = 2
    await expect(sink.write(outputs)).rejects.toThrow("timeout")
    expect(await waiting(await aQueue(folder))).toEqual(["created 1"])
    await expect(sink.write(outputs)).rejects.toThrow("timeout")
    await sink.write(outputs)
    expect(store.written).toEqual([alertId(anAlert())])
    expect(await waiting(queue)).toEqual(["created 1"])
    expect(sink.name).toBe("store")
  })

  it("fails when one outbox does, and completes only what is missing", async () => {
    const [good, bad] = [await aQueue(aFolder()), new FailingStore()]
    bad.failures = 1
    const store = new FailingStore()
    const sink = new OutboxThenStore([bad, good], store)
    const outputs = [outputOf(aFinding())]
    await expect(sink.write(outputs)).rejects.toThrow("timeout")
    expect(store.written).toEqual([])
    await sink.write(outputs)
    expect(store.written).toHaveLength(1)
    expect(await waiting(good)).toEqual(["created 1"])
    expect(bad.written).toHaveLength(1)
  })
})
