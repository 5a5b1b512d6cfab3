const secondUs = 1_000_000

/** Which findings are one incident, and how much is remembered of incidents. */
export const incidentThresholds = {
  /** Microseconds. Steps of one incident were hours and days apart in what has been reported. */
  joinUs: 7 * 24 * 3_600 * secondUs,
  /** Microseconds of event time between versions in which only counters moved. */
  counterRepeatUs: 60 * secondUs,
  /** Events. The beginning of a story says more than its middle, which is what is left out. */
  maxTimeline: 200,
  /** Findings in one incident; what comes later begins the next one. */
  maxFindings: 500,
  /** Identities of one host with their last incident. */
  remembered: 5_000,
} as const
