/** Limits and scores of the reverse shell detector. */
export const reverseShellThresholds = {
  /**
   * Programs that read commands. By the last part of the path, without version numbers. A shell under another name is
   * still found when its stdio is the outside connection itself.
   */
  interpreters: [
    "bash",
    "sh",
    "dash",
    "zsh",
    "ksh",
    "ash",
    "fish",
    "busybox",
    "tcsh",
    "csh",
    "python",
    "perl",
    "ruby",
    "lua",
    "php",
    "node",
  ],
  /**
   * Remote-led exchanges that this host answered plus programs that were executed right after the far side spoke, at least
   * one of each: somebody at the far side has typed more than one line.
   */
  drivenSigns: 3,
  /** A program executed this soon after the far side spoke was asked for by it. Nanoseconds. */
  executedWithinNs: 200_000_000,
  /** Bytes that must have been read by the shell, and not a byte more have come in, for the sizes to convict alone. */
  matchedBytes: 16,
  /** Or as many separate moments at which both totals agreed. */
  matchedMoments: 2,
  /** Moments that are remembered for the comparison: some four seconds of a busy shell. */
  matchedSamples: 16,
  /**
   * Connections of one holder that are compared with one shell per record of the shell, and shells per record of a
   * connection: of a holder with more, the next ones come with the next record, so that all have their turn.
   */
  comparedPerRecord: 256,
  /** Pairs of shell and connection whose moments are kept; past this the first one begins anew. */
  comparedPairs: 50_000,

  /** Strength and sureness of each verdict, 0..1. From .9 on it is critical, from .5 on it wakes a person. */
  verdicts: {
    /** The descriptors are a fact, and no interpreter is joined to a socket by chance. */
    stdioShell: { score: 0.95, confidence: 0.97 },
    /** A program that is no known shell may have a reason of its own. */
    stdioProgram: { score: 0.55, confidence: 0.7 },
    /** Not a byte more or less than came in. */
    bytesMatch: { score: 0.95, confidence: 0.95 },
    /** By order and delay alone: encrypted, so that no bytes can be compared. */
    driven: { score: 0.9, confidence: 0.85 },
  },
} as const
