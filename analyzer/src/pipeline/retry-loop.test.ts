import { expect, it } from "vitest"
import { Ledger } from "../alerts/outbox/ledger.js"
import { AlertLimiter } from "../alerts/outbox/limiter.js"
import { openAlertAfter, selectAlerts } from "../alerts/outbox/selection.js"
import type { Batch } from "../domain/batch.js"
import { aBatch } from "../testing/batches.js"
import { anUpdate } from "../testing/connections.js"
import { aHost } from "../testing/hosts.js"
import { aProcess } from "../testing/processes.js"
import { at } from "../testing/time.js"
import { pipelineOptions } from "../testing/trackers.js"
import { HostPipeline } from "./host-pipeline.js"
import { stagesFor } from "./stages.js"

const stages = stagesFor({
  detectors: { longLivedSsh: { afterSeconds: 600 } },
  policy: { approved: [], suppressed: [], denied: [] },
})

/** What leaves of these batches, each at its second, and what it is about. */
function outcomeOf(steps: readonly (readonly [second: number, parts: Partial<Batch>])[]) {
  const pipeline = new HostPipeline(aHost(), pipelineOptions({ stages }))
  const ledger = new Ledger()
  const outputs = steps.map(([second, parts], i) => pipeline.apply(aBatch(i + 1, { observedUs: at(second), ...parts })))
  const alerts = outputs.flatMap(({ findings }) => {
    const selected = selectAlerts(findings, ledger, "medium", new AlertLimiter(0, () => 0)).map(({ alert }) => alert)
    for (const alert of selected)
      ledger.note(alert.finding.id, openAlertAfter(alert, ledger.openAlert(alert.finding.id)))
    return selected
  })
  const findings = outputs.flatMap((output) => output.findings)
  return {
    ids: new Set(findings.map(({ id }) => id)).size,
    versions: findings.length,
    alerts: alerts.map(({ kind }) => kind),
    incidents: new Set(outputs.flatMap(({ incidents }) => incidents.map(({ id }) => id))).size,
    last: findings.at(-1),
  }
}

const shell = aProcess(["bash", "retry.sh"], { key: "4700:0" })
const argv = ["ssh", "-o", "ExitOnForwardFailure=yes", "-N", "-R", "9404:localhost:80", "me@203.0.113.9"]

it("tells of a tunnel that is refused 28 times as one finding and a handful of alerts", () => {
  // As it was traced: the far side refuses the port, ssh exits, the loop sleeps a second.
  const tries = Array.from({ length: 28 }, (_, i): readonly (readonly [number, Partial<Batch>])[] => {
    const [second, key] = [i * 1.4, `${5_000 + i}:${i}`]
    const connection = { cookie: `${i}`, process: key, openedUs: at(second) }
    return [
      [second, { processes: [aProcess(argv, { key, parent: shell.key })], connections: [anUpdate({ ...connection, reason: "opened", observedUs: at(second) })] }], // prettier-ignore
      [second + 0.4, { connections: [anUpdate({ ...connection, reason: "closed", observedUs: at(second + 0.4) })], exited: [key] }], // prettier-ignore
    ]
  })
  const silence = Array.from({ length: 50 }, (_, i) => [50 + i * 10, {}] as const)
  const { ids, versions, alerts, incidents, last } = outcomeOf([
    [0, { processes: [shell] }],
    ...tries.flat(),
    ...silence,
  ])
  expect({ ids, versions, alerts, incidents }).toEqual({
    ids: 1,
    versions: 5,
    alerts: ["created", "closed", "created", "updated", "closed"],
    incidents: 1,
  })
  expect(last?.summary).toContain("it connected to 203.0.113.9:443. Tried 28 times in 37 seconds.")
})

it("tells of 3,000 processes of one user that each ask for another port in a few findings", () => {
  const pids = Array.from({ length: 3_000 }, (_, i) => i)
  const key = (i: number) => `${5_000 + i}:${i}`
  const steps = Array.from({ length: 30 }, (_, batch): readonly [number, Partial<Batch>] => {
    const some = pids.slice(batch * 100, batch * 100 + 100)
    return [
      batch * 0.7,
      {
        processes: some.map((i) =>
          aProcess(["ssh", "-R", `${i}:10.0.0.1:22`, "h"], { key: key(i), parent: shell.key }),
        ),
        connections: some.map((i) => anUpdate({ cookie: `${i}`, process: key(i), reason: "opened" })),
        exited: some.map(key),
      },
    ]
  })
  const silence = Array.from({ length: 50 }, (_, i) => [30 + i * 10, {}] as const)
  const { ids, alerts, incidents } = outcomeOf([[0, { processes: [shell] }], ...steps, ...silence])
  // 32 at once and one more for each ten seconds of them, and one of all the others.
  expect(ids).toBe(35)
  expect(incidents).toBe(1)
  expect(alerts.length).toBeLessThan(200)
})
