/**
 * What the page requests from the analyzer, and what it gets: JSON over HTTP from the address that serves the page. Times are
 * RFC 3339 in UTC; bytes and counts are numbers. The analyzer answers `401` with `{"error": …}` until the page has shown
 * its token (`POST /api/session`, header `authorization: Bearer TOKEN`, answered by a cookie), `404` for what is not
 * there, `503` while the store does not answer, each with one sentence for a person in `error`.
 *
 *     GET  /api/overview                                    Overview
 *     GET  /api/incidents?status=open|closed|all&limit=N    IncidentList, the gravest first, then the latest
 *     GET  /api/incidents/ID                                IncidentDetail
 *     GET  /api/findings/ID                                 FindingDetail
 *     GET  /api/outbound?sort=age|bytes|recent&driver=remote|local|unclear|all&search=TEXT&limit=N    Outbound
 *     GET  /api/events                                      server-sent events, see LiveEvents
 */

export type Severity = "info" | "low" | "medium" | "high" | "critical"

/** A state in one word, and a sentence that says what to do where it is not "ok". */
export interface Condition {
  readonly state: "ok" | "degraded" | "failing"
  readonly text: string
}

export interface Overview {
  readonly version: string
  /** Clock of the analyzer. */
  readonly now: string
  readonly started: string
  readonly openIncidents: number
  /** Open findings by severity, policy's "expected" ones apart. */
  readonly openFindings: Readonly<Record<Severity, number>>
  readonly expectedFindings: number
  /** Live connections that this fleet opened to the outside. */
  readonly liveOutbound: number
  readonly liveConnections: number
  /** Worst first. Empty when all is well. */
  readonly problems: readonly Problem[]
  readonly hosts: readonly HostSummary[]
  readonly sinks: readonly SinkState[]
}

/** One thing that is lost, degraded or failing, for a person. */
export interface Problem {
  readonly severity: "warning" | "error"
  /** What happened, with numbers. */
  readonly text: string
  /** What to do about it. */
  readonly remedy: string
}

export interface HostSummary {
  readonly id: string
  readonly name: string
  readonly kernel: string
  readonly collectorVersion: string
  readonly connected: boolean
  /** When the last message of it arrived, by the analyzer's clock. */
  readonly lastReceivedAt: string
  readonly liveConnections: number
  readonly degraded: readonly { readonly feature: string; readonly consequence: string }[]
  /** When a relay that the analyzer asked for last came back as a finding; null before the first in this boot. */
  readonly lastProvenAt: string | null
  /** Why the host counts as blind; null while it does not. */
  readonly blind: string | null
  /** Kinds with a count above 0: "ringConnection", …; `text` says what it was and which option to raise. */
  readonly lost: readonly { readonly kind: string; readonly count: number; readonly text: string }[]
}

/** The store, and where findings go. */
export interface SinkState {
  readonly name: string
  readonly condition: Condition
  readonly written: number
  readonly failures: number
  /** Given up for lack of room. */
  readonly shed: number
  readonly waiting: number
  /** Of the outbox; absent for sinks without one. */
  readonly outbox?: { readonly bytes: number; readonly limitBytes: number; readonly oldestSeconds: number }
}

export interface IncidentSummary {
  readonly id: string
  readonly version: number
  readonly status: "open" | "closed"
  readonly severity: Severity
  readonly score: number
  readonly host: { readonly id: string; readonly name: string }
  /** Workload, user and executable, as text. */
  readonly identity: string
  readonly first_seen: string
  readonly last_seen: string
  readonly summary: string
  readonly findings: number
}

export interface IncidentList {
  /** Of this status, beyond the limit too. */
  readonly total: number
  readonly incidents: readonly IncidentSummary[]
}

export interface IncidentDetail extends Omit<IncidentSummary, "findings"> {
  readonly findings: readonly FindingSummary[]
  readonly timeline: readonly { readonly at: string; readonly finding: string; readonly text: string }[]
}

export interface FindingSummary {
  readonly id: string
  readonly version: number
  readonly class: string
  readonly severity: Severity
  readonly score: number
  readonly confidence: number
  readonly status: "open" | "updated" | "closed" | "expected" | "suppressed" | "proof"
  readonly first_seen: string
  readonly last_seen: string
  readonly summary: string
}

/** The form of proto/finding.schema.json. */
export interface Finding extends FindingSummary {
  readonly detector: string
  readonly detected_at: string
  readonly host: { readonly id: string; readonly name: string; readonly boot_id: string }
  readonly process: {
    readonly pid: number
    readonly start_ns: string
    readonly exe: string
    readonly argv: readonly string[]
    readonly uid: number
    /** Nearest first. */
    readonly ancestors: readonly { readonly pid: number; readonly exe: string; readonly argv: readonly string[] }[]
    readonly container_id: string
  }
  readonly connection: {
    readonly cookie: string
    readonly netns: number
    readonly initiator: "unknown" | "local" | "remote"
    /** Findings that an earlier release wrote do not have it. */
    readonly protocol?: "unknown" | "tcp" | "udp" | "icmp"
    readonly local: { readonly address: string; readonly port: number }
    readonly remote: { readonly address: string; readonly port: number }
    readonly opened_at: string
    readonly bytes_sent: number
    readonly bytes_received: number
    readonly still_open: boolean
  } | null
  readonly evidence: readonly {
    readonly kind: string
    readonly text: string
    readonly at: string
    readonly facts: Readonly<Record<string, string | number | boolean>>
  }[]
  readonly attack: readonly string[]
}

export interface FindingDetail {
  readonly finding: Finding
  /** Its incident, where it belongs to one. */
  readonly incident: { readonly id: string; readonly summary: string } | null
  /** One for each thing inside that was reached; empty where there is no coupling. */
  readonly coupling: readonly CouplingCurve[]
  /** Lines for the configuration file, ready to paste. Null where no rule can be written (no connection yet). */
  readonly policy: { readonly approve: string; readonly deny: string } | null
}

/** Totals so far, in bytes; all arrays have the same length, and times rise. */
export interface CouplingCurve {
  /** What stands for B: "127.0.0.1:8000", a path, "@name", or "pty of 812". */
  readonly channel: string
  /** Milliseconds since the Unix epoch. */
  readonly at: readonly number[]
  /** Received on A, then written to B. */
  readonly forwardIn: readonly number[]
  readonly forwardOut: readonly number[]
  /** Received on B, then written to A. */
  readonly backwardIn: readonly number[]
  readonly backwardOut: readonly number[]
}

export type Driver = "remote" | "local" | "unclear"

export interface Outbound {
  /** Live outbound connections to the outside; those that `driver` and `search` leave. */
  readonly total: number
  readonly matching: number
  /** Over all that match, not only those listed. Youngest first. */
  readonly ages: readonly AgeBand[]
  readonly connections: readonly OutboundConnection[]
}

export interface AgeBand {
  /** "under 1 min", "1 to 10 min", … */
  readonly label: string
  readonly fromSeconds: number
  readonly remote: number
  readonly local: number
  readonly unclear: number
}

export interface OutboundConnection {
  readonly host: string
  readonly cookie: string
  readonly protocol: "tcp" | "udp" | "icmp"
  readonly local: string
  readonly remote: string
  readonly openedAt: string
  readonly lastMovedAt: string
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly driver: Driver
  readonly ssh: boolean
  readonly pid: number
  readonly exe: string
  readonly argv: readonly string[]
  readonly uid: number
  readonly containerId: string
  /** A finding about this connection. */
  readonly finding: string | null
}

/**
 * Events of the stream, each with its JSON in `data`. The first of each kind comes at once. After a reconnect the stream
 * begins anew, so that a page needs no memory of what it missed.
 */
export interface LiveEvents {
  /** At most every second, when anything in it changed. */
  readonly overview: Overview
  /** A new or changed incident. */
  readonly incident: IncidentSummary
  /** A new version of a finding. */
  readonly finding: FindingSummary & { readonly incident: string | null; readonly host: string }
  /** Without filters, the 50 oldest; at most every 2 s. */
  readonly outbound: Outbound
}
