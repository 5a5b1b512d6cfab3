import type { FindingClass } from "../../domain/finding-classes.js"
import type { Severity } from "../../domain/severity.js"
import type { Output } from "../../domain/output.js"
import { findingJson, incidentJson } from "../../documents/finding-json.js"
import type { FindingJson, IncidentJson } from "../../documents/finding-json.js"
import type { Sink } from "../../sinks/sink.js"
import { BoundedVersions } from "./bounded-versions.js"
import { Curves } from "./curves.js"
import type { ConnectionKey } from "../../domain/identity.js"
import { connectionKey } from "../../domain/keys.js"

export interface LiveFindingsLimits {
  readonly incidents: number
  /** About 3 kB each. */
  readonly findings: number
}

export const defaultLiveFindingsLimits: LiveFindingsLimits = { incidents: 10_000, findings: 50_000 }

export interface LiveFindingsListener {
  incident(incident: IncidentJson): void
  finding(finding: FindingJson): void
}

/** Open and expected findings by severity; expected ones apart. */
export interface FindingCounts {
  readonly open: Readonly<Record<Severity, number>>
  readonly expected: number
}

type Counted = Record<Severity, number>
const none = (): Counted => ({ info: 0, low: 0, medium: 0, high: 0, critical: 0 })

/** What the page shows of incidents and findings, in memory and bounded. A sink that never holds up the others. */
export class LiveFindings implements Sink {
  readonly name = "page"
  readonly curves = new Curves()
  readonly #incidents: BoundedVersions<IncidentJson>
  readonly #findings: BoundedVersions<FindingJson>
  /** Incident of each finding that an incident in memory names. */
  readonly #incidentOf = new Map<string, string>()
  /** Latest finding about each connection. */
  readonly #findingOf = new Map<string, string>()
  readonly #listeners = new Set<LiveFindingsListener>()
  readonly #open = none()
  readonly #begun = new Map<string, { readonly class: FindingClass; readonly severity: Severity; count: number }>()
  #expected = 0

  constructor(limits: LiveFindingsLimits) {
    this.#incidents = new BoundedVersions(limits.incidents, ({ status }) => status === "closed")
    this.#findings = new BoundedVersions(limits.findings, (finding) => !isLasting(finding))
  }

  /** What the store knew before this run began; later versions that came meanwhile stand. */
  seed(incidents: readonly IncidentJson[], findings: readonly FindingJson[]): void {
    // Oldest change first, since that is the order in which they go.
    for (const finding of [...findings].sort(byLastSeen)) this.#putFinding(finding)
    for (const incident of [...incidents].sort(byLastSeen)) this.#putIncident(incident)
  }

  write(outputs: readonly Output[]): Promise<void> {
    for (const { host, findings, incidents, couplings } of outputs) {
      for (const finding of findings) {
        const json = findingJson(finding)
        if (!this.#putFinding(json)) continue
        if (json.version === 1) this.#count(json)
        for (const listener of this.#listeners) listener.finding(json)
      }
      for (const incident of incidents) {
        const json = incidentJson(incident)
        if (!this.#putIncident(json)) continue
        for (const listener of this.#listeners) listener.incident(json)
      }
      this.curves.add(host.hostId, host.bootId, couplings)
    }
    return Promise.resolve()
  }

  /** Calls the listener for every change from now on; the function returned ends that. */
  subscribe(listener: LiveFindingsListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  get openIncidents(): number {
    return this.#incidents.openSize
  }

  get findingCounts(): FindingCounts {
    return { open: { ...this.#open }, expected: this.#expected }
  }

  /** Findings that began in this run of the analyzer, by class and first severity. */
  get begun(): readonly { readonly class: FindingClass; readonly severity: Severity; readonly count: number }[] {
    return [...this.#begun.values()]
  }

  incident(id: string): IncidentJson | undefined {
    return this.#incidents.get(id)
  }

  finding(id: string): FindingJson | undefined {
    return this.#findings.get(id)
  }

  incidents(status: "open" | "closed"): readonly IncidentJson[] {
    return [...(status === "open" ? this.#incidents.open() : this.#incidents.over())]
  }

  incidentOf(finding: string): IncidentJson | undefined {
    const id = this.#incidentOf.get(finding)
    return id === undefined ? undefined : this.#incidents.get(id)
  }

  /** Id of the latest finding about a connection. */
  findingOf(connection: ConnectionKey): string | undefined {
    return this.#findingOf.get(connectionKey(connection))
  }

  #putFinding(finding: FindingJson): boolean {
    const put = this.#findings.put(finding)
    if (put === undefined) return false
    this.#tally(put.previous, -1)
    this.#tally(finding, 1)
    const key = keyOf(finding)
    if (key !== undefined) this.#findingOf.set(key, finding.id)
    for (const gone of put.gone) {
      this.#tally(gone, -1)
      const goneKey = keyOf(gone)
      if (goneKey !== undefined && this.#findingOf.get(goneKey) === gone.id) this.#findingOf.delete(goneKey)
    }
    return true
  }

  #putIncident(incident: IncidentJson): boolean {
    const put = this.#incidents.put(incident)
    if (put === undefined) return false
    for (const finding of incident.findings) this.#incidentOf.set(finding, incident.id)
    for (const gone of put.gone)
      for (const finding of gone.findings)
        if (this.#incidentOf.get(finding) === gone.id) this.#incidentOf.delete(finding)
    return true
  }

  #tally(finding: FindingJson | undefined, step: 1 | -1): void {
    if (finding === undefined) return
    if (finding.status === "expected") this.#expected += step
    else if (finding.status === "open" || finding.status === "updated") this.#open[finding.severity] += step
  }

  #count(finding: FindingJson): void {
    const key = `${finding.class}\n${finding.severity}`
    const begun = this.#begun.get(key) ?? { class: finding.class, severity: finding.severity, count: 0 }
    begun.count += 1
    this.#begun.set(key, begun)
  }
}

/** Still there: open, changed, or expected by policy. */
function isLasting({ status }: FindingJson): boolean {
  return status !== "closed" && status !== "suppressed" && status !== "proof"
}

function keyOf({ host, connection }: FindingJson): string | undefined {
  return connection === null
    ? undefined
    : connectionKey({ hostId: host.id, bootId: host.boot_id, cookie: connection.cookie })
}

function byLastSeen(a: { readonly last_seen: string }, b: { readonly last_seen: string }): number {
  return a.last_seen < b.last_seen ? -1 : a.last_seen > b.last_seen ? 1 : 0
}
