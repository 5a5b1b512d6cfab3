/** Limits of the coupling detector. Bits: see conservation.ts; each halves the odds of chance. */
export const couplingThresholds = {
  /**
   * Share of bytes that may be under way between A and B when an edge is read. TCP buffers of a busy relay hold a few
   * per cent of a second's traffic.
   */
  slack: 0.05,
  /**
   * Evidence that both directions together must give before sizes alone convict: 1 in 64 by chance, per direction at
   * least `minVariationBits`. A client that stores what it is pushed conserves one direction only.
   */
  variationBits: 6,
  minVariationBits: 1,
  /** Sizes must also be near each other on average: half a bit is a difference of about 70 %. */
  minLevelBits: 0.5,
  /** Sizes that match in both directions but never vary: worth a note, not a call at night. */
  suspiciousLevelBits: 1.5,
  /**
   * Without B being dialled after A spoke the order of events says less, so that the sizes have to say more: 1 in 4096.
   */
  keptOpenVariationBits: 12,
  keptOpenMinVariationBits: 2,
  keptOpenMinTurns: 4,
  /** Every byte of so many turns each way came out again: no program that reads what it is sent does that. */
  keptOpenExactTurns: 2,
  /**
   * An SSH client that dials inside this soon after connecting may be fetching a ticket for its login (Kerberos: one to
   * three requests to a KDC, each longer than what asked for it). Microseconds.
   */
  loginUs: 5_000_000,
  loginDials: 3,
} as const
