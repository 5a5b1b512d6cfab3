import type { Endpoint, Microseconds } from "./identity.js"
import type { Initiator } from "./connection.js"

export const findingClasses = [
  "reverse_tunnel",
  "reverse_shell",
  "long_lived_ssh",
  "ssh_role_inversion",
  "inverted_flow",
  "tunnel_intent",
] as const
export type FindingClass = (typeof findingClasses)[number]

/** Medium and above wakes a person. */
export const severities = ["info", "low", "medium", "high", "critical"] as const
export type Severity = (typeof severities)[number]

export const findingStatuses = ["open", "updated", "closed", "expected", "suppressed"] as const
export type FindingStatus = (typeof findingStatuses)[number]

/** A fact that lets a person check the claim. `at` is when it was so; numbers carry their unit in the name. */
export interface Evidence {
  readonly kind: string
  /** One sentence in plain words. */
  readonly text: string
  readonly atUs: Microseconds
  readonly facts: Readonly<Record<string, string | number | boolean>>
}

export interface FindingProcess {
  readonly pid: number
  readonly startNs: string
  readonly exe: string
  readonly argv: readonly string[]
  readonly uid: number
  /** Nearest first. */
  readonly ancestors: readonly { readonly pid: number; readonly exe: string; readonly argv: readonly string[] }[]
  readonly containerId: string
}

export interface FindingConnection {
  readonly cookie: string
  readonly netns: number
  readonly initiator: Initiator
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly openedUs: Microseconds
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly stillOpen: boolean
}

/** One claim of one detector about one subject. The wire form (JSON) is proto/finding.schema.json. */
export interface Finding {
  /** UUIDv5 of host, boot, detector and subject: the same subject keeps its id over versions and replays. */
  readonly id: string
  readonly version: number
  readonly class: FindingClass
  readonly detector: string
  readonly severity: Severity
  /** Strength, 0..1. */
  readonly score: number
  /** How sure, 0..1. */
  readonly confidence: number
  readonly status: FindingStatus
  readonly firstSeenUs: Microseconds
  readonly lastSeenUs: Microseconds
  /** Event time at which this version was decided; frozen column of the store is the first version's. */
  readonly detectedAtUs: Microseconds
  readonly summary: string
  readonly host: { readonly id: string; readonly name: string; readonly bootId: string }
  readonly process: FindingProcess
  readonly connection: FindingConnection
  readonly evidence: readonly [Evidence, ...Evidence[]]
  /** MITRE ATT&CK technique ids. */
  readonly attack: readonly string[]
}
