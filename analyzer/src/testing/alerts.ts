import { onTestFinished } from "vitest"
import type { Alert } from "../alerts/outbox/alert.js"
import { AlertQueue } from "../alerts/outbox/alert-queue.js"
import type { AlertQueueOptions } from "../alerts/outbox/alert-queue.js"
import { findingJson } from "../documents/finding-json.js"
import type { Finding } from "../domain/finding.js"
import { aFinding } from "./findings.js"
import { noLog } from "./log.js"
import { startMs } from "./time.js"

export function anAlert(changes: Partial<Alert> = {}, finding: Partial<Finding> = {}): Alert {
  const json = findingJson(aFinding(finding))
  return { kind: "created", createdAt: json.detected_at, finding: json, ...changes }
}

/** A queue in `folder` that closes after the test. */
export async function aQueue(folder: string, changes: Partial<AlertQueueOptions> = {}): Promise<AlertQueue> {
  const queue = await AlertQueue.open({
    folder,
    limitBytes: 1_000_000,
    minSeverity: "medium",
    perIdentityPerMinute: 0,
    nowMs: () => startMs,
    log: noLog,
    ...changes,
  })
  onTestFinished(() => queue.close())
  return queue
}
