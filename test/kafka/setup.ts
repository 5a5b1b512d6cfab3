import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { startAlerts } from "@backflow/analyzer/alerts/start"
import type { Alerts } from "@backflow/analyzer/alerts/start"
import { topicsCommand } from "@backflow/analyzer/command/topics"
import { loadConfig } from "@backflow/analyzer/config/load"
import type { AlertsConfig, Config } from "@backflow/analyzer/config/load"
import { until as poll } from "@backflow/analyzer/testing/until"
import type { Log } from "@backflow/analyzer/telemetry/log"

/** What the tests with a broker share. */

export const source = "/backflow/test"

/** The configuration with these lines under alerts.kafka; all findings of the tests are of one identity, without limit. */
export function configOf(folder: string, kafka: object, alerts: object = {}): Config {
  const file = join(folder, "backflow.yaml")
  writeFileSync(
    file,
    JSON.stringify({ state: folder, alerts: { source, per_identity_per_minute: 0, ...alerts, kafka } }),
  )
  return loadConfig({ file, environment: {} })
}

export interface CommandResult {
  readonly code: number
  readonly text: string
}

/** `backflow topics ensure` with these options, and what it printed. */
export async function ensure(config: Config, values: Readonly<Record<string, string>> = {}, ...switches: string[]) {
  const lines: string[] = []
  const terminal = {
    out: (text: string) => void lines.push(text),
    note: (text: string) => void lines.push(text),
    colour: false,
    environment: {},
    nowUs: () => 0,
  }
  const command = { name: "topics", text: "", operands: "ensure", options: [] }
  const args = { command, operands: ["ensure"], values, switches: new Set(switches) } as unknown as Parameters<
    typeof topicsCommand
  >[0]
  const code = await topicsCommand(args, config, terminal)
  return { code, text: lines.join("\n") } satisfies CommandResult
}

export const oneNode = { partitions: "3", replication: "1", "min-insync": "1" }

/** Starts the alerts of a configuration; they stop after the test. Log messages go to `lines`. */
export async function runAlerts(config: AlertsConfig, state: string, lines: string[] = []): Promise<Alerts> {
  const keep = (fields: object, text: string) => void lines.push(`${text} ${JSON.stringify(fields)}`)
  const log: Log = { debug: () => undefined, info: keep, warn: keep, error: keep }
  const alerts = await startAlerts(config, { state, log, nowMs: Date.now, version: "0.0.0" })
  onTestFinished(async () => {
    await alerts.stop(0)
  })
  return alerts
}

/** Polls as `until` does, as long as a broker may take. */
export const until = (what: string, condition: () => boolean, withinMs = 30_000): Promise<void> =>
  poll(what, condition, withinMs)
