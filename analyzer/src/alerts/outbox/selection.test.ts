import { describe, expect, it } from "vitest"
import type { Finding, FindingStatus } from "../../domain/finding.js"
import type { Severity } from "../../domain/severity.js"
import { alertId } from "./alert.js"
import { AlertLimiter } from "./limiter.js"
import { Ledger } from "./ledger.js"
import { selectAlerts, openAlertAfter } from "./selection.js"
import { startUs } from "../../testing/time.js"
import { aFinding } from "../../testing/findings.js"

const unlimited = new AlertLimiter(0, () => 0)

type Step = readonly [Severity, FindingStatus]

const version = (n: number, [severity, status]: Step): Finding =>
  aFinding({ version: n, severity, status, detectedAtUs: startUs + n })

/** What leaves of the versions 1, 2, 3 … of one finding, each in a call of its own: "kind version because". */
function leaving(steps: readonly Step[], ledger = new Ledger()): string[] {
  return steps.flatMap((step, i) => {
    const alerts = selectAlerts([version(i + 1, step)], ledger, "medium", unlimited).map(({ alert }) => alert)
    for (const alert of alerts) ledger.note(alert.finding.id, openAlertAfter(alert, ledger.openAlert(alert.finding.id)))
    return alerts.map(({ kind, because, finding }) => [kind, finding.version, because ?? ""].join(" ").trim())
  })
}

describe("what leaves", () => {
  it.each<[string, Step[], string[]]>([
    [
      "an ordinary life",
      [
        ["medium", "open"],
        ["high", "updated"],
        ["high", "closed"],
      ],
      ["created 1", "updated 2", "closed 3 ended"],
    ],
    [
      "nothing under the severity",
      [
        ["low", "open"],
        ["low", "closed"],
      ],
      [],
    ],
    [
      "nothing that policy rules on",
      [
        ["high", "expected"],
        ["high", "suppressed"],
      ],
      [],
    ],
    [
      "a later version as the first",
      [
        ["low", "open"],
        ["low", "updated"],
        ["high", "updated"],
        ["high", "closed"],
      ],
      ["created 3", "closed 4 ended"],
    ],
    [
      "the end of what was lowered",
      [
        ["high", "open"],
        ["low", "updated"],
        ["low", "updated"],
        ["low", "closed"],
      ],
      ["created 1", "closed 2 lowered"],
    ],
    [
      "the end of what was approved later",
      [
        ["high", "open"],
        ["high", "expected"],
        ["high", "expected"],
      ],
      ["created 1", "closed 2 expected"],
    ],
    [
      "the end of what was suppressed later",
      [
        ["high", "open"],
        ["high", "suppressed"],
      ],
      ["created 1", "closed 2 suppressed"],
    ],
    [
      "what is grave again as new",
      [
        ["high", "open"],
        ["low", "updated"],
        ["high", "updated"],
      ],
      ["created 1", "closed 2 lowered", "created 3"],
    ],
    ["what was over before it could be sent", [["high", "closed"]], ["created 1 ended"]],
    [
      "the end even when it is under the severity by then",
      [
        ["high", "open"],
        ["low", "closed"],
      ],
      ["created 1", "closed 2 ended"],
    ],
  ])("is %s", (_what, steps, expected) => {
    expect(leaving(steps)).toEqual(expected)
  })

  it("follows several versions within one call", () => {
    const findings = [version(1, ["high", "open"]), version(2, ["high", "updated"]), version(3, ["high", "closed"])]
    const alerts = selectAlerts(findings, new Ledger(), "medium", unlimited).map(({ alert }) => alert)
    expect(alerts.map(({ kind }) => kind)).toEqual(["created", "updated", "closed"])
    expect(alerts.map(alertId)).toEqual([1, 2, 3].map((n) => `${aFinding().id}:${n}`))
    expect(new Set(alerts.map(({ createdAt }) => createdAt))).toEqual(new Set(["2026-11-23T06:00:00.000001000Z"]))
  })

  it("says the same of versions that come again after a crash", () => {
    const ledger = new Ledger()
    const steps: Step[] = [
      ["high", "open"],
      ["high", "updated"],
    ]
    expect(leaving(steps, ledger)).toEqual(leaving(steps, ledger))
  })

  it("does not change the ledger by itself", () => {
    const ledger = new Ledger()
    selectAlerts([version(1, ["high", "open"])], ledger, "medium", unlimited)
    expect(ledger.entries().length).toBe(0)
  })
})

describe("the ledger", () => {
  it("forgets the longest open finding beyond its bound, not the rest", () => {
    const ledger = new Ledger()
    for (let n = 0; n <= 50_000; n++) ledger.note(String(n), { version: 1, createdAt: "" })
    expect(ledger.entries().length).toBe(50_000)
    expect([ledger.openAlert("0"), ledger.openAlert("1")]).toEqual([undefined, { version: 1, createdAt: "" }])
  })
})
