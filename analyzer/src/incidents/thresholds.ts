const secondUs = 1_000_000

/** Which findings are one incident, and how much is remembered of incidents. */
export const incidentThresholds = {
  /** Microseconds. Steps of one incident were hours and days apart in what has been reported. */
  joinUs: 7 * 24 * 3_600 * secondUs,
  /** Microseconds of event time between versions in which only counters moved. */
  counterRepeatUs: 60 * secondUs,
  /**
   * An incident of more findings than this is not told anew for each that joins, but after so many microseconds of event
   * time for each of them: 10 s at 500. What makes it graver, opens or closes it is told at once.
   */
  promptFindings: 16,
  waitPerFindingUs: 20_000,
  /** Events. The beginning of a story says more than its middle, which is what is left out. */
  maxTimeline: 200,
  /** Findings in one incident; what comes later begins the next one. */
  maxFindings: 500,
  /** Identities of one host with their last incident. */
  remembered: 5_000,
} as const
