/** Limits and scores of the coupling detector. Bits: see conservation.ts; each halves the odds of chance. */
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
  /** Sockets of ssh-agent, of keyrings that act as one, and of X11: forwarded by `ssh -A` and `ssh -X`. */
  agentOrDisplay: /\/agent\.|\/ssh-|\/keyring\/|\/\.X11-unix\/|gpg-agent/,
  /** Edges and places that a finding names: those of a tunnel into a whole network are told by its first ones. */
  shownEdges: 8,
  shownPlaces: 3,

  /** What sizes have to do with each other. */
  conservation: {
    /** Bytes by which padding and record headers differ from turn to turn without saying anything (SSH pads to 8 or 16). */
    framingSpreadBytes: 16,
    /** The most that mean sizes, and how sizes vary, may say: turns of one conversation are not independent. */
    maxLevelBits: 8,
    maxVariationBits: 12,
    /** Fewer bytes in a turn agree by chance too easily to be called exact. */
    exactMinBytes: 32,
  },

  /** Strength and sureness of each verdict, 0..1. From .5 on it wakes a person. */
  verdicts: {
    /** Two facts that do not depend on each other: the role in SSH, and framing on the outside. */
    sshDialsInside: { score: 0.95, confidence: 0.97 },
    /** Compressed: nothing is conserved, so that the role stands alone. */
    sshDialsInsideCompressed: { score: 0.9, confidence: 0.9 },
    /** May be a ticket for the login. */
    sshDialsAtLogin: { score: 0.3, confidence: 0.4 },
    sshUnixSocket: { score: 0.9, confidence: 0.9 },
    /** Wanted by whoever gave -A or -X, and open to the far side all the same. */
    agentForwarding: { score: 0.3, confidence: 0.8 },
    /** Not a byte differs in either direction, after the dial. */
    bytesExact: { score: 0.95, confidence: 0.95 },
    /** 1 in 64 by chance, after the dial. */
    bytesConserved: { score: 0.9, confidence: 0.9 },
    /** A note: constant sizes look alike by habit. */
    sizesAlike: { score: 0.35, confidence: 0.5 },
    /** As above without the order of events, which says less. */
    keptOpenExact: { score: 0.9, confidence: 0.9 },
    keptOpenConserved: { score: 0.75, confidence: 0.75 },
  },
} as const
