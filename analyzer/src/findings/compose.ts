import type { Claim } from "../domain/detector.js"
import type { Evidence, Finding, FindingStatus } from "../domain/finding.js"
import type { HostFacts, Microseconds } from "../domain/identity.js"
import { isGraver, type Severity } from "../domain/severity.js"
import type { Policy, Ruling } from "../policy/policy.js"
import { assess } from "../scoring/assess.js"
import { scoringThresholds } from "../scoring/thresholds.js"
import type { SubjectSnapshot } from "./subject-snapshot.js"
import { findingThresholds } from "./thresholds.js"
import type { UnversionedFinding } from "./versions.js"

/** The least that a denied way in is worth. */
const { deniedSeverity } = scoringThresholds

const rulingWords: Readonly<Record<Ruling["status"], string>> = {
  denied: "Denied",
  expected: "Approved",
  suppressed: "Suppressed",
}

/** What makes a finding. */
export interface FindingInput {
  readonly id: string
  readonly claim: Claim
  readonly snapshot: SubjectSnapshot
  readonly firstSeenUs: Microseconds
  readonly lastVersion: Finding | undefined
  /** Other claims on the same connection or process. */
  readonly peers: readonly Claim[]
}

/** The finding as it stands: the claim, scored with its peers, ruled by policy. */
export function compose(input: FindingInput, policy: Policy, host: HostFacts): UnversionedFinding {
  const { id, claim, snapshot, firstSeenUs, lastVersion, peers } = input
  const { score, confidence, severity, modifiers } = assess(claim, peers)
  const isProof = claim.isProof === true
  const ruling = isProof
    ? undefined
    : policy.judge({
        class: claim.class,
        remote: snapshot.connection.cookie === "" ? undefined : snapshot.connection.remote,
        process: snapshot.facts,
        ancestors: snapshot.ancestors,
      })
  const [first, ...rest] = claim.evidence
  const noted = snapshot.overlay ? [snapshot.overlay, ...modifiers] : modifiers
  const added = ruling ? [...noted, policyEvidence(ruling, claim)] : noted
  const summary = snapshot.overlay ? `${claim.summary} The far side is in an overlay.` : claim.summary
  return {
    id,
    class: claim.class,
    detector: claim.detector,
    severity: isProof ? "info" : ruledSeverity(ruling, severity),
    score,
    confidence,
    status: isProof ? "proof" : statusOf(claim, ruling, lastVersion),
    firstSeenUs,
    lastSeenUs: Math.max(claim.lastSeenUs, lastVersion?.lastSeenUs ?? 0),
    summary: ruling ? `${summary} Policy: ${ruling.reason}.` : summary,
    host: { id: host.hostId, name: host.hostName, bootId: host.bootId },
    process: snapshot.process,
    connection: snapshot.connection,
    // What scoring and policy added is never what is cut.
    evidence: [first, ...rest.slice(0, Math.max(0, findingThresholds.maxEvidence - 1 - added.length)), ...added],
    attack: claim.attack,
  }
}

/** What policy has answered wakes nobody; what it denies wakes somebody, however weak the signs are. */
function ruledSeverity(ruling: Ruling | undefined, severity: Severity): Severity {
  if (ruling === undefined) return severity
  if (ruling.status !== "denied") return "info"
  return isGraver(severity, deniedSeverity) ? severity : deniedSeverity
}

function statusOf(claim: Claim, ruling: Ruling | undefined, lastVersion: Finding | undefined): FindingStatus {
  return ruling === undefined || ruling.status === "denied" ? openStatus(claim, lastVersion) : ruling.status
}

function openStatus({ status }: Claim, lastVersion: Finding | undefined): FindingStatus {
  if (status === "ended") return "closed"
  return lastVersion === undefined ? "open" : "updated"
}

function policyEvidence({ status, reason, rule }: Ruling, claim: Claim): Evidence {
  return {
    kind: "policy",
    text: `${rulingWords[status]} by ${rule}: ${reason}`,
    atUs: claim.lastSeenUs,
    facts: { rule, reason, status },
  }
}
