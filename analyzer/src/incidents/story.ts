import type { Finding } from "../domain/finding.js"
import { classFacts } from "../domain/finding-classes.js"
import type { Microseconds } from "../domain/identity.js"
import type { Incident } from "../domain/incident.js"
import { isGraver } from "../domain/severity.js"
import { nameId } from "../findings/uuid.js"

export interface TimelineEvent {
  readonly atUs: Microseconds
  readonly finding: string
  readonly text: string
}

/** What is known of one identity. */
export interface Story {
  readonly identity: string
  readonly host: Incident["host"]
  /** Id of the finding with which it began. */
  readonly first: string
  /** The latest version of each finding, in the order in which they joined. */
  readonly findings: ReadonlyMap<string, Finding>
  readonly timeline: readonly TimelineEvent[]
  readonly lastVersion: Incident | undefined
}

/** The incident as it stands; undefined while nothing in it wakes a person and no version was published yet. */
export function describe(story: Story): Omit<Incident, "version"> | undefined {
  const all = [...story.findings.values()]
  const standing = all.filter(({ status }) => status !== "expected" && status !== "suppressed" && status !== "proof")
  const gravest = standing.reduce<Finding | undefined>(graver, undefined)
  if (story.lastVersion === undefined && (gravest === undefined || !isGraver(gravest.severity, "low"))) return undefined
  return {
    id: nameId("incident", story.host.id, story.identity, story.first),
    status: standing.every(({ status }) => status === "closed") ? "closed" : "open",
    severity: gravest?.severity ?? "info",
    score: gravest?.score ?? 0,
    host: story.host,
    identity: story.identity,
    firstSeenUs: Math.min(...all.map(({ firstSeenUs }) => firstSeenUs)),
    lastSeenUs: Math.max(...all.map(({ lastSeenUs }) => lastSeenUs)),
    summary: summary(gravest, standing),
    findings: all.map(({ id }) => id),
    timeline: [...story.timeline],
  }
}

function graver(a: Finding | undefined, b: Finding): Finding {
  if (a === undefined || isGraver(b.severity, a.severity)) return b
  return a.severity === b.severity && b.score > a.score ? b : a
}

function summary(gravest: Finding | undefined, standing: readonly Finding[]): string {
  if (gravest === undefined) return "Everything in it is approved by policy."
  const classes = [...new Set(standing.map((finding) => classFacts[finding.class].label))]
  const count = standing.length === 1 ? "" : ` (${standing.length} findings: ${classes.join(", ")})`
  return `${gravest.summary}${count}`
}
