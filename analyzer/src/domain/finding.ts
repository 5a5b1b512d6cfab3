import type { Endpoint, Microseconds } from "./identity.js"
import type { Initiator, Protocol } from "./connection.js"
import type { FindingClass } from "./finding-classes.js"
import type { Severity } from "./severity.js"

/** "proof": a relay that the analyzer asked for itself, so that it knows whether it would find one. */
export type FindingStatus = "open" | "updated" | "closed" | "expected" | "suppressed" | "proof"

/** What evidence is of, each given by one detector or stage: a new kind in a finding is worth telling people again. */
export type EvidenceKind =
  // coupling
  | "conservation"
  | "order"
  | "odds"
  | "coupling"
  | "ssh"
  // reverse shell
  | "stdio"
  | "remote-led"
  | "execution"
  // long-lived SSH
  | "age"
  | "ssh-identification"
  | "terminal"
  // SSH role inversion
  | "ssh-role"
  // inverted exchanges
  | "turn-taking"
  // intent
  | "argv"
  | "config-file"
  | "connection"
  | "tries"
  // tun device
  | "tunnel-use"
  | "tunnel-carrier"
  | "tunnel-forward"
  // blinding
  | "overload"
  | "records-lost"
  // proof
  | "proof"
  // where the far side is
  | "overlay"
  // scoring, policy
  | "raised"
  | "policy"

/** A fact that lets a person check the claim. */
export interface Evidence {
  readonly kind: EvidenceKind
  /** One sentence in plain words. */
  readonly text: string
  /** When it was so. */
  readonly atUs: Microseconds
  /** Numbers carry their unit in the name. */
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
  /** Unknown of a connection that the tracker had given up when it was claimed. */
  readonly protocol: Protocol | "unknown"
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
