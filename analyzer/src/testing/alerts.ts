import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import type { Finding } from "../domain/finding.js"
import type { Output } from "../domain/output.js"
import type { Log } from "../telemetry/log.js"
import { findingJson } from "../documents/finding-json.js"
import { anOutput } from "./outputs.js"
import type { Alert } from "../alerts/outbox/alert.js"
import { AlertQueue } from "../alerts/outbox/alert-queue.js"
import { aFinding } from "./findings.js"
import { startUs } from "./time.js"

/** What tests of alerts share. */

/** UUID of the n-th finding. */
export function idOf(n: number): string {
  return `00000000-0000-5000-8000-${String(n).padStart(12, "0")}`
}

export function anAlert(changes: Partial<Alert> = {}, finding: Partial<Finding> = {}): Alert {
  const json = findingJson(aFinding(finding))
  return { kind: "created", createdAt: json.detected_at, finding: json, ...changes }
}

let batches = 0
export function outputOf(...findings: readonly Finding[]): Output {
  batches += 1
  return anOutput(batches, { connections: [], findings })
}

/** A folder that is gone after the test. */
export function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "backflow-alerts-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A log that keeps what it is told. */
export function aLog(): Log & { readonly lines: string[] } {
  const lines: string[] = []
  const keep = (level: string) => (fields: object, text: string) =>
    void lines.push(`${level} ${text} ${JSON.stringify(fields)}`)
  return { lines, debug: () => undefined, info: keep("info"), warn: keep("warn"), error: keep("error") }
}

export const startMs = startUs / 1_000

export async function aQueue(folder: string, changes: { readonly limitBytes?: number; readonly log?: Log } = {}) {
  const queue = await AlertQueue.open({
    folder,
    limitBytes: 1_000_000,
    minSeverity: "medium",
    nowMs: () => startMs,
    log: aLog(),
    ...changes,
  })
  onTestFinished(() => queue.close())
  return queue
}

/** Resolves once the condition holds; rejects with what it was waiting for. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 5_000,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
