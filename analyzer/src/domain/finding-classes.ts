import type { Severity } from "./severity.js"

/** Everything that the analyzer has to know of a class of findings but how it is found. */
export interface FindingClassFacts {
  /**
   * How much a claim of this class takes away of the doubt in another one on the same connection or process, at its full
   * score, 0..1. Weights are such that no mix of supporting claims alone lifts a note (.35) to what wakes a person (.5)
   * unless somebody also asked for a tunnel.
   */
  readonly raise: number
  /** The highest severity, however sure: what the class says alone is no more than this. */
  readonly ceiling: Severity
  /** Why another finding is raised by it, after "because". */
  readonly reason: string
  /** In a list of what belongs to an incident. */
  readonly label: string
}

/** In the order of proto/finding.schema.json. */
export const classFacts = {
  reverse_tunnel: {
    raise: 0,
    ceiling: "high",
    reason: "a reverse tunnel was seen",
    label: "reverse tunnel",
  },
  reverse_shell: {
    raise: 0,
    ceiling: "critical",
    reason: "a reverse shell was seen",
    label: "reverse shell",
  },
  long_lived_ssh: {
    raise: 0.1,
    ceiling: "medium",
    reason: "the SSH connection has stood for long",
    label: "long-lived SSH",
  },
  ssh_role_inversion: {
    raise: 0.3,
    ceiling: "high",
    reason: "the far side is the SSH client",
    label: "SSH server that dialled out",
  },
  inverted_flow: {
    raise: 0.3,
    ceiling: "low",
    reason: "the far side speaks first and is answered at once",
    label: "far side in the lead",
  },
  tunnel_intent: {
    raise: 0.3,
    ceiling: "medium",
    reason: "the process was asked for a way back in",
    label: "asked for a way in",
  },
  blinding: {
    // It says nothing of what else the process does.
    raise: 0,
    ceiling: "high",
    reason: "the process floods the collector",
    label: "flood that blinds",
  },
  host_blind: {
    raise: 0,
    ceiling: "high",
    reason: "the host did not show a relay that was opened to prove that it would",
    label: "blind host",
  },
} as const satisfies Readonly<Record<string, FindingClassFacts>>

export type FindingClass = keyof typeof classFacts

export const findingClasses = Object.keys(classFacts) as [FindingClass, ...FindingClass[]]
