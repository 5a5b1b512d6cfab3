import { describe, expect, it } from "vitest"
import { Teardown } from "./teardown.js"

describe("Teardown", () => {
  it("runs the last step first, each once, however often it is called", async () => {
    const ran: string[] = []
    const teardown = new Teardown()
    teardown.add(() => ran.push("store"))
    teardown.add(() => Promise.resolve().then(() => ran.push("server")))
    await Promise.all([teardown.run(1_000), teardown.run(1_000)])
    await teardown.run(1_000)
    expect(ran).toEqual(["server", "store"])
  })

  it("runs the steps before one that fails, and tells the first failure", async () => {
    const ran: string[] = []
    const teardown = new Teardown()
    teardown.add(() => ran.push("folder"))
    teardown.add(() => Promise.reject(new Error("the second")))
    teardown.add(() => Promise.reject(new Error("the first")))
    await expect(teardown.run(1_000)).rejects.toThrow("the first")
    expect(ran).toEqual(["folder"])
  })

  it("gives each step what is left of the time", async () => {
    const left: number[] = []
    const teardown = new Teardown()
    teardown.add((leftMs) => left.push(leftMs))
    teardown.add(async (leftMs) => {
      left.push(leftMs)
      const until = performance.now() + 2
      while (performance.now() < until) await Promise.resolve()
    })
    await teardown.run(1)
    expect(left[0]).toBeGreaterThan(0)
    expect(left[1]).toBe(0)
  })

  it("leaves a step behind that does not end within the time, and runs the others", async () => {
    const ran: string[] = []
    const teardown = new Teardown()
    teardown.add(() => ran.push("folder"))
    teardown.add(() => new Promise(() => undefined))
    teardown.add(() => ran.push("server"))
    await expect(teardown.run(20)).rejects.toMatchObject({ code: "store-write", message: expect.stringMatching(/^timeout/) as string }) // prettier-ignore
    expect(ran).toEqual(["server", "folder"])
  })
})
