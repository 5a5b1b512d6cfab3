import { describe, expect, it } from "vitest"
import type { Connection } from "../../domain/connection.js"
import type { Attachment } from "../../domain/coupling.js"
import type { ProcessFacts } from "../../domain/identity.js"
import { advanceMatch, isInterpreter, judgeBytes, noMatch } from "./judge.js"

const attachment = (childRead: number) => ({ childRead }) as Attachment
const outside = (bytesReceived: number) => ({ bytesReceived }) as Connection

type Steps = readonly (readonly [read: number, received: number])[]

/** Reason of the verdict on a program after these totals of what it has read and what has come in. */
function judged(exe: string, kind: Attachment["kind"], steps: Steps) {
  const match = steps.reduce((so, [read, received]) => advanceMatch(so, attachment(read), outside(received)), noMatch)
  return judgeBytes(match, { attachment: { kind } as Attachment, shell: { exe } as ProcessFacts, outside: outside(0) })
}

const afterSteps = (...steps: Steps) => judged("/bin/bash", "pty", steps)

describe("bytes", () => {
  it("match once a shell has read two commands and not a byte else", () => {
    expect(afterSteps([9000, 0], [9003, 3], [9010, 10])).toBe("bytesMatch")
  })

  it("do not after one short command, which may be chance", () => {
    expect(afterSteps([9000, 0], [9003, 3])).toBeUndefined()
  })

  it("match after one long command, on either side of the limit", () => {
    expect(afterSteps([9000, 0], [9016, 16])).toBe("bytesMatch")
    expect(afterSteps([9000, 0], [9015, 15])).toBeUndefined()
  })

  it("match where moments in step lie between those that are not", () => {
    expect(afterSteps([100, 0], [5000, 0], [5003, 0], [5003, 3], [5020, 3], [5020, 20])).toBe("bytesMatch")
  })

  it("do not for a person who now and then types as much as a chatty connection says", () => {
    const typed: Steps = [
      [9009, 120],
      [9014, 185],
      [9026, 210],
      [9042, 226],
      [9050, 286],
      [9061, 386],
      [9067, 398],
      [9074, 478],
    ]
    expect(afterSteps([9000, 90], ...typed)).toBeUndefined()
  })

  it("do not for an agent that turns long answers into short commands", () => {
    expect(afterSteps([9000, 0], [9040, 820], [9061, 1730], [9100, 2500])).toBeUndefined()
  })
})

describe("a program that is no known shell", () => {
  const steps: Steps = [
    [9000, 0],
    [9016, 16],
  ]

  it("is less sure, and least behind pipes, where programs speak with each other", () => {
    expect(judged("/tmp/worker", "pty", steps)).toBe("bytesMatchTerminal")
    expect(judged("/tmp/worker", "pipe", steps)).toBe("bytesMatchPipes")
    expect(judged("/usr/bin/gzip", "pipe-between", steps)).toBeUndefined()
    expect(judged("/bin/sh", "pipe-between", steps)).toBe("bytesMatchBetween")
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
