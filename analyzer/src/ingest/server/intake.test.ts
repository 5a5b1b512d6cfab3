import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Intake } from "./intake.js"

const sized = (length: number) => ({ bytes: new Uint8Array(length) })

describe("Intake", () => {
  it("gives what was offered, in order, and wakes who waits", async () => {
    const intake = new Intake<{ bytes: Uint8Array; n: number }>({ messages: 10, bytes: 100 })
    const waiting = intake.take()
    for (const n of [1, 2, 3]) intake.offer({ ...sized(1), n })
    expect([(await waiting)?.n, (await intake.take())?.n, (await intake.take())?.n]).toEqual([1, 2, 3])
  })

  it.each([
    ["messages", [1, 1, 1], true],
    ["bytes", [50, 50], true],
    ["neither", [1, 98], false],
  ])("is full by %s", (_, lengths, isFull) => {
    const intake = new Intake({ messages: 3, bytes: 100 })
    for (const length of lengths) intake.offer(sized(length))
    expect(intake.isFull).toBe(isFull)
  })

  it("calls for more once there is room, each caller once, and lets one ask again", async () => {
    const intake = new Intake({ messages: 1, bytes: 100 })
    const called: string[] = []
    intake.offer(sized(1))
    intake.whenRoom(() => {
      called.push("a")
      intake.whenRoom(() => called.push("a again"))
    })
    intake.whenRoom(() => {
      called.push("b")
      intake.offer(sized(1))
    })
    intake.whenRoom(() => called.push("c"))
    expect(called).toEqual([])
    await intake.take()
    // After b offered it is full again: c waits on, ahead of those that asked later.
    expect(called).toEqual(["a", "b"])
    await intake.take()
    expect(called).toEqual(["a", "b", "c", "a again"])
  })

  it("ends once closed and empty", async () => {
    const intake = new Intake({ messages: 3, bytes: 100 })
    intake.offer(sized(1))
    intake.close()
    expect(await intake.take()).toBeDefined()
    expect(await intake.take()).toBeUndefined()
  })

  it("counts what waits exactly, in any mixture of offers and takes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(fc.nat(20)), { maxLength: 3_000 }), async (steps) => {
        const intake = new Intake({ messages: 5, bytes: 50 })
        const model: number[] = []
        for (const step of steps) {
          if (step !== null) {
            intake.offer(sized(step))
            model.push(step)
          } else if (model.length > 0) expect((await intake.take())?.bytes.length).toBe(model.shift())
          expect(intake.messages).toBe(model.length)
          expect(intake.bytes).toBe(model.reduce((sum, length) => sum + length, 0))
        }
      }),
      { numRuns: 20 },
    )
  })
})
