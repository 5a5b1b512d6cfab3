import { describe, expect, it } from "vitest"
import { Health } from "./health.js"
import { aStatus, anAlertStatus } from "../../testing/status.js"

function health() {
  const world = { ms: 0, written: 0, waiting: 0, bytes: 0, listening: true }
  const one = new Health({
    analyzer: () =>
      aStatus({
        deliveries: [
          { sink: "store", counts: { written: world.written, failures: 0, shed: 0, waiting: world.waiting } },
        ],
      }),
    alerts: () => [anAlertStatus({ bytes: world.bytes, limitBytes: 100 })],
    isListening: () => world.listening,
    monotonicMs: () => world.ms,
  })
  const failed = () => one.readiness.checks.filter(({ ok }) => !ok).map(({ name }) => name)
  return { world, one, failed }
}

describe("readiness", () => {
  it("is lost when the store takes nothing for 30 s of what waits, and comes back with a write", () => {
    const { world, failed } = health()
    Object.assign(world, { waiting: 5 })
    expect(failed()).toEqual([])
    world.ms = 30_000
    expect(failed()).toEqual([])
    world.ms = 30_001
    expect(failed()).toEqual(["store"])
    world.written = 1
    expect(failed()).toEqual([])
  })

  it("stays when nothing waits", () => {
    const { world, failed } = health()
    expect(failed()).toEqual([])
    world.ms = 3_600_000
    expect(failed()).toEqual([])
    world.waiting = 1
    expect(failed()).toEqual([])
  })

  it.each([
    ["collectors", { listening: false }],
    ["outbox", { bytes: 100 }],
  ])("needs %s", (name, change) => {
    const { world, one, failed } = health()
    Object.assign(world, change)
    expect(failed()).toEqual([name])
    expect(one.readiness.ready).toBe(false)
  })

  it("is over with the stop", () => {
    const { one, failed } = health()
    one.stop()
    expect(failed()).toEqual(["running"])
  })
})
