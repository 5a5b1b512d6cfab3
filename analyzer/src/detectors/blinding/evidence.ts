/** Who floods, what was counted together or lost because of it, and how fast, in words for a person. */
import type { Claim } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { Microseconds, ProcessKey } from "../../domain/identity.js"
import type { OverloadKind } from "../../domain/overload.js"
import type { View } from "../../domain/view.js"
import { durationText, plural } from "../../text/amounts.js"
import { processText } from "../../text/program-name.js"
import type { Excess, Grade } from "./judge.js"
import { blindingThresholds as limits } from "./thresholds.js"

export const detectorName = "blinding"

/** One lineage of processes that goes beyond bounds. */
export interface Flood {
  readonly subject: string
  /** The topmost process of the lineage that went beyond a bound. */
  readonly process: ProcessKey | undefined
  /** By kind, in the order in which they were first seen. */
  readonly excess: ReadonlyMap<OverloadKind, Excess>
  /** Those that went beyond a bound. */
  readonly processes: ReadonlySet<ProcessKey>
  readonly lost: number
  readonly evicted: number
  readonly firstUs: Microseconds
  readonly lastUs: Microseconds
}

export function claimOf(flood: Flood, grade: Exclude<Grade, "none">, status: Claim["status"], view: View): Claim {
  const { subject, process, excess, processes, firstUs, lastUs } = flood
  const facts = process === undefined ? undefined : view.process(process)
  const others = processes.size > 1 ? ` and ${plural(processes.size - 1, "other")} of its lineage` : ""
  const [first, ...rest] = [...excess].map(([kind, one]) => did[kind](one))
  const what = [first, ...rest].join(", and ")
  const attack = grade === "flood" ? "flooded the collector" : "went far beyond what the collector tells apart"
  return {
    class: "blinding",
    detector: detectorName,
    subject,
    score: limits.score[grade],
    confidence: limits.confidence[grade],
    firstSeenUs: firstUs,
    lastSeenUs: lastUs,
    process,
    cookie: "",
    summary: `${processText(facts)}${others} on ${view.host.hostName} ${attack}: ${what}.`,
    evidence: evidenceOf(flood),
    attack: ["T1562", "T1562.006"],
    status,
  }
}

const span = ({ firstUs, lastUs }: Excess) => durationText(Math.max(1_000_000, lastUs - firstUs))

const did: Readonly<Record<OverloadKind, (one: Excess) => string>> = {
  edges: (one) => `it dialled ${count(one.total)} places inside in ${span(one)} beyond the ${count(one.limit)} that are told apart`,
  groups: (one) => `it made ${count(one.total)} groups of processes with connections to the outside in ${span(one)} beyond the ${count(one.limit)} that are followed`,
  descriptors: (one) => `walks met ${count(one.total)} of its open descriptors in ${span(one)} beyond the ${count(one.limit)} that are looked at`,
  records: (one) => `${count(one.total)} records were lost in ${span(one)} while it made most of them`,
} // prettier-ignore

const unseen: Readonly<Record<OverloadKind, string>> = {
  edges: "which of them were reached from outside is not seen one by one",
  groups: "what the others reach inside is not seen",
  descriptors: "shells and channels behind the others may not be seen",
  records: "what any process did in these moments may not have been seen",
}

function evidenceOf(flood: Flood): readonly [Evidence, ...Evidence[]] {
  const lines = [...flood.excess].map(([kind, one]) => overloadEvidence(kind, one))
  const [first, ...rest] = lines
  if (first === undefined) throw new Error("a flood without excess")
  return [first, ...rest, ...lossEvidence(flood)]
}

function overloadEvidence(kind: OverloadKind, one: Excess): Evidence {
  const text = did[kind](one)
  return {
    kind: "overload",
    text: `${text.charAt(0).toUpperCase()}${text.slice(1)}, ${count(one.peak)} of them within 10 s: ${unseen[kind]}.`,
    atUs: one.lastUs,
    facts: {
      overload: kind,
      beyond: one.total,
      limit: one.limit,
      peak_per_10_seconds: one.peak,
      bursts: one.bursts.length,
      seconds: Math.round((one.lastUs - one.firstUs) / 1e6),
    },
  }
}

function lossEvidence({ lost, evicted, lastUs }: Flood): readonly Evidence[] {
  if (lost + evicted === 0) return []
  return [
    {
      kind: "records-lost",
      text: `In the same moments ${count(lost)} records of this host were lost and ${count(evicted)} connections, processes or couplings were given up for want of room: those of other processes too.`,
      atUs: lastUs,
      facts: { lost, evicted },
    },
  ]
}

/** "380,000": large numbers are the point here. */
function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",")
}
