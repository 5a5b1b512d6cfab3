import { expect, it } from "vitest"
import { UnfollowedUses } from "./unfollowed-uses.js"

const use = (what: string, bytes: number) => ({ what, process: undefined, bytes, lastUs: 1 })

it("keeps each use as it was last sent, and a bound of them", () => {
  const uses = new UnfollowedUses()
  uses.learn([use("vsock", 1), use("packet sockets", 5), use("vsock", 7)])
  expect(uses.all).toEqual([use("packet sockets", 5), use("vsock", 7)])
  uses.learn(Array.from({ length: 255 }, (_, number) => use(`${number}`, 1)))
  expect(uses.all).toHaveLength(256)
  expect(uses.all[0]).toEqual(use("vsock", 7))
})
