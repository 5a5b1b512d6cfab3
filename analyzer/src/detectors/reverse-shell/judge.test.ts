import { describe, expect, it } from "vitest"
import type { Connection } from "../../domain/connection.js"
import type { Attachment } from "../../domain/coupling.js"
import { advanceMatch, isInterpreter, judgeBytes, judgeDriven, noMatch } from "./judge.js"

const attachment = (childRead: number) => ({ childRead }) as Attachment
const outside = (bytesReceived: number) => ({ bytesReceived }) as Connection

/** Verdict after these totals of what the shell has read and what has come in. */
function afterSteps(...steps: readonly (readonly [read: number, received: number])[]) {
  return judgeBytes(
    steps.reduce((match, [read, received]) => advanceMatch(match, attachment(read), outside(received)), noMatch),
  )
}

const isMatch = { reason: "bytesMatch" }

describe("bytes", () => {
  it("match once a shell has read two commands and not a byte else", () => {
    expect(afterSteps([9000, 0], [9003, 3], [9010, 10])).toMatchObject(isMatch)
  })

  it("do not after one short command, which may be chance", () => {
    expect(afterSteps([9000, 0], [9003, 3])).toBeUndefined()
  })

  it("match after one long command, on either side of the limit", () => {
    expect(afterSteps([9000, 0], [9016, 16])).toMatchObject(isMatch)
    expect(afterSteps([9000, 0], [9015, 15])).toBeUndefined()
  })

  it("match where moments in step lie between those that are not", () => {
    expect(afterSteps([100, 0], [5000, 0], [5003, 0], [5003, 3], [5020, 3], [5020, 20])).toMatchObject(isMatch)
  })

  it("do not for an agent that turns long answers into short commands", () => {
    expect(afterSteps([9000, 0], [9040, 820], [9061, 1730], [9100, 2500])).toBeUndefined()
  })
})

describe("a shell in use by the far side", () => {
  const led = (remoteLedAnswered: number) => ({ exchanges: { remoteLedAnswered } }) as unknown as Connection

  it.each([
    [2, 1, true],
    [1, 2, true],
    [1, 1, false],
    [5, 0, false],
    [0, 5, false],
  ])("with %i answers and %i programs is %s", (answers, programs, expected) => {
    expect(judgeDriven(led(answers), programs) !== undefined).toBe(expected)
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
