import type { Severity } from "../domain/severity.js"

/** How scores become severities. What a class of findings is worth stands in domain/finding-classes.ts. */
export const scoringThresholds = {
  /** Lowest score of each severity, 0..1. */
  bands: { info: 0, low: 0.2, medium: 0.5, high: 0.7, critical: 0.9 } satisfies Readonly<Record<Severity, number>>,
  /** The least of what policy denies by name: somebody decided beforehand that this must not be. */
  deniedSeverity: "high",
} as const
