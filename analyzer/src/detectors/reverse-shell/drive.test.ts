import { describe, expect, it } from "vitest"
import type { Connection } from "../../domain/connection.js"
import type { Attachment, CouplingEdge } from "../../domain/coupling.js"
import { advanceMatch, bytesAgree, executedOnDemand, isDriven, isInterpreter, noMatch } from "./drive.js"

const attachment = (childRead: number) => ({ childRead }) as Attachment
const outside = (bytesReceived: number) => ({ bytesReceived }) as Connection

function matchAfter(steps: readonly (readonly [number, number])[]) {
  return steps.reduce((match, [read, received]) => advanceMatch(match, attachment(read), outside(received)), noMatch)
}

const steps = (...pairs: (readonly [number, number])[]) => bytesAgree(matchAfter(pairs))

describe("bytesAgree", () => {
  it("is true once a shell has read two commands and not a byte else", () => {
    expect(steps([9000, 0], [9003, 3], [9010, 10])).toBe(true)
  })

  it("is false after one short command, which may be chance", () => {
    expect(steps([9000, 0], [9003, 3])).toBe(false)
  })

  it("is true after one long command, on either side of the limit", () => {
    expect(steps([9000, 0], [9016, 16])).toBe(true)
    expect(steps([9000, 0], [9015, 15])).toBe(false)
  })

  it("finds the moments in step between those that are not", () => {
    expect(steps([100, 0], [5000, 0], [5003, 0], [5003, 3], [5020, 3], [5020, 20])).toBe(true)
  })

  it("is false for an agent that turns long answers into short commands", () => {
    expect(steps([9000, 0], [9040, 820], [9061, 1730], [9100, 2500])).toBe(false)
  })
})

describe("executedOnDemand", () => {
  const edge = (kind: CouplingEdge["kind"], openedAfter: number, delayMinNs: number) =>
    ({ kind, openedAfter, delayMinNs }) as CouplingEdge

  it("counts programs that ran within 0.2 s after the far side spoke", () => {
    expect(executedOnDemand([edge("exec", 3, 4_000_000), edge("tcp", 9, 1)])).toBe(3)
  })

  it("does not count what ran later", () => {
    expect(executedOnDemand([edge("exec", 3, 200_000_001)])).toBe(0)
  })
})

describe("isInterpreter", () => {
  it.each(["/bin/bash", "/usr/bin/python3.11", "/usr/bin/dash", "/bin/busybox", "/bin/bash (deleted)"])(
    "knows %s",
    (exe) => {
      expect(isInterpreter(exe)).toBe(true)
    },
  )

  it.each(["/usr/bin/ssh", "/usr/sbin/nginx", "/opt/bashful"])("does not take %s for one", (exe) => {
    expect(isInterpreter(exe)).toBe(false)
  })
})

describe("isDriven", () => {
  const led = (remoteLedAnswered: number) => ({ exchanges: { remoteLedAnswered } }) as unknown as Connection

  it.each([
    [2, 1, true],
    [1, 2, true],
    [1, 1, false],
    [5, 0, false],
    [0, 5, false],
  ])("with %i answers and %i programs is %s", (answers, programs, expected) => {
    expect(isDriven(led(answers), programs)).toBe(expected)
  })
})
