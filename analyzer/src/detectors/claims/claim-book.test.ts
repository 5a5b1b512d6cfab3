import { expect, it } from "vitest"
import type { Claim } from "../../domain/detector.js"
import { aProcess } from "../../testing/processes.js"
import { aView } from "../../testing/trackers.js"
import { ClaimBook } from "./claim-book.js"

const claim = (changes: Partial<Claim> = {}): Claim => ({
  class: "inverted_flow",
  detector: "test",
  subject: "a",
  score: 0.4,
  confidence: 0.5,
  firstSeenUs: 1,
  lastSeenUs: 1,
  process: undefined,
  cookie: "a",
  summary: "It is so.",
  evidence: [{ kind: "turn-taking", text: "Seen.", atUs: 1, facts: {} }],
  attack: [],
  status: "active",
  ...changes,
})

it("keeps the last claim about a subject with what it rests on", () => {
  const book = new ClaimBook<number>()
  book.record(claim(), 8)
  book.record(claim({ subject: "b" }), 1)
  expect(book.record(claim({ score: 0.3 }), 16)).toEqual([claim({ score: 0.3 })])
  expect(book.get("a")).toMatchObject({ claim: claim({ score: 0.3 }), basis: 16 })
  expect([...book.all()].map(([subject, { basis }]) => [subject, basis])).toEqual([["a", 16], ["b", 1]]) // prettier-ignore
})

it("ends a claim once, as it stands or with what has changed", () => {
  const book = new ClaimBook()
  book.record(claim())
  expect(book.end("a", 7)).toEqual([claim({ lastSeenUs: 7, status: "ended" })])
  expect(book.end("a", 8)).toEqual([])
  book.record(claim())
  expect(book.end("a", 9, claim({ summary: "It was so." }))).toEqual([
    claim({ summary: "It was so.", lastSeenUs: 9, status: "ended" }),
  ])
})

it("ends nothing that it has let go", () => {
  const book = new ClaimBook()
  book.record(claim())
  book.forget("a")
  expect(book.end("a", 7)).toEqual([])
})

it("forgets, when it is full, of the user who has most, and counts it", () => {
  const users = [1, 2].map((uid) => aProcess(["nc"], { key: `${uid}:1`, uid }))
  const children = Array.from({ length: 20 }, (_, i) => aProcess(["nc"], { key: `${100 + i}:1`, uid: 2 }))
  const view = aView([], [...users, ...children])
  const book = new ClaimBook(5)
  book.record(claim({ subject: "own", process: "1:1" }), undefined, view)
  for (const { key } of children) book.record(claim({ subject: `flood ${key}`, process: key }), undefined, view)
  expect([...book.all()].map(([subject]) => subject)).toEqual(["own", "flood 116:1", "flood 117:1", "flood 118:1", "flood 119:1"]) // prettier-ignore
  expect(book.evicted).toBe(16)
})
