/** From the least grave to the gravest. Medium and above wakes a person. */
export const severities = ["info", "low", "medium", "high", "critical"] as const
export type Severity = (typeof severities)[number]

/** Negative when `a` is less grave than `b`, positive when it is graver. */
export function compareSeverities(a: Severity, b: Severity): number {
  return severities.indexOf(a) - severities.indexOf(b)
}

export function isGraver(a: Severity, b: Severity): boolean {
  return compareSeverities(a, b) > 0
}

export function isAtLeast(severity: Severity, min: Severity): boolean {
  return compareSeverities(severity, min) >= 0
}
