/** Limits and scores of proofs. */
export const proofThresholds = {
  /**
   * From the relay's first connection until its edge moved last: a relay of four short turns is over within milliseconds,
   * and the collector looks at edges every 200 ms. Microseconds.
   */
  foundWithinUs: 2_000_000,
  /**
   * What event time may run on beyond that before a relay counts as missed: it moves in batches, at least one a second.
   * Microseconds.
   */
  batchUs: 1_000_000,
  /** Relays that are remembered: their processes have ended long before so many others were opened. */
  remembered: 64,
  /** Claims about one relay that wait until all of it is seen. */
  held: 16,

  /** Strength and sureness of "this host is blind", 0..1. */
  verdicts: {
    /** A relay ran, and did not come back: whoever digs a tunnel now is not seen. */
    missed: { score: 0.8, confidence: 0.9 },
    /** Found, but late: what is short may be over before anybody knows. */
    late: { score: 0.6, confidence: 0.8 },
    /** It could be tried before in this boot, and can no longer: something has changed. */
    noLonger: { score: 0.55, confidence: 0.6 },
    /** It never could be tried: this host does not let the collector, or the collector is of an earlier release. */
    untried: { score: 0.3, confidence: 0.6 },
  },
} as const
