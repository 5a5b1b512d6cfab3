import { createHash } from "node:crypto"
import type { Finding } from "../domain/finding.js"
import type { Microseconds } from "../domain/identity.js"
import { runKey } from "../domain/keys.js"
import type { Output } from "../domain/output.js"
import { batchMoment, dayUs, latestObservation } from "./write/connection-row.js"
import type { StoredConnection } from "./write/connection-row.js"
import type { Store } from "./store.js"
import type { Sink } from "../sinks/sink.js"

/** Rows of one insert: enough to make few parts, and to be encoded within some 50 ms. */
const rowsPerInsert = 20_000
/** Findings whose first moment is remembered; the rest are looked up again. */
const rememberedFindings = 100_000

/**
 * The durable sink. Every output is in the store exactly once, whatever is sent again:
 *
 * - Several outputs share one insert. Its token is made of theirs, so a repeated write of the same array changes nothing.
 * - A collector sends batches again after a crash, and they would be joined otherwise. So each row names its batch, an
 *   insert stays within one day's partition and is thereby kept whole or not at all, batches of one collector run are
 *   written in order, and how far the store is in a run is read once, at the first batch of that run.
 * - Findings, incidents, curves and reports come before the connections of their batch, because those mark it as durable;
 *   they replace themselves when written twice.
 */
export class StoreSink implements Sink {
  readonly name = "store"
  readonly #store: Store
  readonly #nowUs: () => Microseconds
  /** Highest durable batch of each collector run. */
  readonly #durable = new Map<string, number>()
  readonly #firstDetected = new Map<string, Microseconds>()

  constructor(store: Store, nowUs: () => Microseconds) {
    this.#store = store
    this.#nowUs = nowUs
  }

  async write(outputs: readonly Output[]): Promise<void> {
    await this.#writeFindings(outputs)
    await this.#writeIncidents(outputs)
    await this.#writeReports(outputs)
    const pending: Output[] = []
    for (const output of outputs) if (await this.#isNew(output)) pending.push(output)
    for (const group of grouped(pending, this.#nowUs())) await this.#writeConnections(group)
  }

  async #isNew(output: Output): Promise<boolean> {
    if (output.connections.length === 0) return false
    const run = runKey(output.host)
    let durable = this.#durable.get(run)
    if (durable === undefined) {
      // As the batch has it: after days of silence it may count as of today, and was stored as of then.
      durable = await this.#store.durableSeq(output.host, Math.min(latestObservation(output), this.#nowUs()))
      this.#durable.set(run, durable)
    }
    return output.seq > durable
  }

  async #writeConnections({ outputs, rows }: Group): Promise<void> {
    await this.#store.insertConnections(rows, tokenOf("connections", outputs))
    for (const output of outputs) this.#durable.set(runKey(output.host), output.seq)
  }

  async #writeFindings(outputs: readonly Output[]): Promise<void> {
    const findings = outputs.flatMap((output) => output.findings)
    if (findings.length === 0) return
    await this.#recall(findings)
    await this.#store.insertFindings(findings, this.#firstDetected, tokenOf("findings", outputs))
  }

  async #writeIncidents(outputs: readonly Output[]): Promise<void> {
    const incidents = outputs.flatMap((output) => output.incidents)
    if (incidents.length > 0) await this.#store.insertIncidents(incidents, tokenOf("incidents", outputs))
  }

  async #writeReports(outputs: readonly Output[]): Promise<void> {
    const withCurves = outputs.filter(({ couplings }) => couplings.length > 0)
    if (withCurves.length > 0) await this.#store.insertCouplings(withCurves, tokenOf("couplings", withCurves))
    const withReport = outputs.filter(({ report }) => report !== undefined)
    if (withReport.length > 0) await this.#store.insertHostReports(withReport, tokenOf("host_reports", withReport))
  }

  async #recall(findings: readonly Finding[]): Promise<void> {
    if (this.#firstDetected.size > rememberedFindings) this.#firstDetected.clear()
    const unknown = findings.filter(({ id }) => !this.#firstDetected.has(id))
    const stored = await this.#store.firstDetected([...new Set(unknown.map(({ id }) => id))])
    for (const { id, detectedAtUs } of unknown) {
      if (!this.#firstDetected.has(id)) this.#firstDetected.set(id, stored.get(id) ?? detectedAtUs)
    }
  }
}

/** What goes into one insert. */
interface Group {
  readonly day: number
  readonly outputs: Output[]
  readonly rows: StoredConnection[]
}

/** Outputs of one day joined until an insert is full, in order. An output is never divided. */
function grouped(outputs: readonly Output[], nowUs: Microseconds): readonly Group[] {
  const groups: Group[] = []
  for (const output of outputs) {
    const batchUs = batchMoment(output, nowUs)
    const day = Math.floor(batchUs / dayUs)
    const rows = output.connections.map((row) => ({ output, row, batchUs }))
    const last = groups.at(-1)
    if (last?.day === day && last.rows.length + rows.length <= rowsPerInsert) {
      last.outputs.push(output)
      for (const row of rows) last.rows.push(row)
    } else groups.push({ day, outputs: [output], rows })
  }
  return groups
}

function tokenOf(table: string, outputs: readonly Output[]): string {
  const hash = createHash("sha256").update(table)
  for (const { token } of outputs) hash.update("\n").update(token)
  return hash.digest("hex")
}
