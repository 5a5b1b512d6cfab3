import { expect, it } from "vitest"
import { longLivedSshThresholds as limits } from "./thresholds.js"
import { WatchList } from "./watch-list.js"

it("gives up the oldest of who has most when it is full, for good", () => {
  const list = new WatchList()
  list.add("other's", "other", 1)
  for (let i = 1; i < limits.watched; i++) expect(list.add(`${i}`, "one", i + 1)).toBeUndefined()
  expect(list.add("late", "other", 2)).toBe("1")
  expect(list.has("1")).toBe(false)
  expect(list.takeDue(2)).toEqual(["other's", "late"])
})
