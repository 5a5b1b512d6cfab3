import { setTimeout as delay } from "node:timers/promises"
import { expect, it, onTestFinished } from "vitest"
import { EventLoopStall } from "./event-loop-stall.js"

it("sees that something held the event loop", async () => {
  const stall = new EventLoopStall()
  onTestFinished(() => stall.stop())
  const before = stall.seconds
  // The first sample is taken after the monitor has begun.
  await delay(30)
  const endMs = performance.now() + 300
  while (performance.now() < endMs);
  await delay(30)
  expect(before).toBe(0)
  expect(stall.seconds).toBeGreaterThan(0.2)
})
