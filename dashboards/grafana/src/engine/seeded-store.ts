import { anOutput } from "@backflow/analyzer/testing/outputs"
import { connect } from "@backflow/analyzer/store/client/connect"
import type { Session } from "@backflow/analyzer/store/client/store-client"
import { openStore } from "@backflow/analyzer/store/store"
import type { Store } from "@backflow/analyzer/store/store"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Story } from "./story.js"

export interface TemporaryStore {
  /** The state folder, as an analyzer has it. */
  readonly state: string
  readonly store: Store
  readonly session: Session
  close(): Promise<void>
}

const limits = { memoryBytes: 4_000_000_000, querySeconds: 60 }

/** The embedded engine with the schema of the real migrations, in a folder that goes with it. One a process. */
export async function temporaryStore(): Promise<TemporaryStore> {
  const state = mkdtempSync(join(tmpdir(), "backflow-grafana-"))
  const target = { kind: "embedded", folder: join(state, "store") } as const
  // Stories lie in the past of whatever day they are told.
  const retention = { connectionDays: 3_650, findingDays: 3_650, rollupDays: 3_650 }
  const store = await openStore({ target, database: "backflow", limits, retention })
  const { reader, writer } = await connect(target, "backflow", limits)
  await reader.close()
  return {
    state,
    store,
    session: writer,
    close: async () => {
      await writer.close()
      await store.close()
      rmSync(state, { recursive: true, force: true })
    },
  }
}

/** Writes a story through the analyzer's own writers. */
export async function tell(
  store: Store,
  { findings, incidents, couplings, reports, connections, metrics }: Story,
): Promise<void> {
  const first = new Map(findings.toReversed().map(({ id, detectedAtUs }) => [id, detectedAtUs]))
  await store.insertFindings(findings, first, "story-findings")
  await store.insertIncidents(incidents, "story-incidents")
  await store.insertCouplings(
    couplings.map((part, i) => anOutput(i, part)),
    "story-couplings",
  )
  await store.insertHostReports(reports, "story-reports")
  await store.insertMetrics(metrics, "story-metrics")
  for (const [day, rows] of byDay(connections)) await store.insertConnections(rows, `story-connections-${day}`)
}

function byDay(rows: Story["connections"]): Map<number, Story["connections"][number][]> {
  const days = new Map<number, Story["connections"][number][]>()
  for (const row of rows) {
    const day = Math.floor(row.batchUs / 86_400_000_000)
    days.set(day, [...(days.get(day) ?? []), row])
  }
  return days
}
