const secondUs = 1_000_000

/** Limits and scores of the detector of long-lived SSH. The age is an option of the configuration: `config/schema.ts`. */
export const longLivedSshThresholds = {
  /** Microseconds between two claims about one connection that goes on. */
  repeatUs: 3_600 * secondUs,
  /** Bytes per second over the whole age: a copy under way is faster than this, a session of a person far slower. */
  bulkBytesPerSecond: 10_000,
  /** Programs that run ssh to move files. Their ssh has no terminal and may take hours. */
  fileTransferPrograms: ["scp", "sftp", "rsync", "git", "git-remote-ssh", "git-lfs", "borg", "restic"],
  /** Connections that are watched for their age. Past this the user who has most loses the oldest. */
  watched: 50_000,
  /**
   * Strength, 0..1. With nobody at a terminal and nothing that the client does for this host it wakes a person (.5), else it
   * is a note, however long it stands.
   */
  score: {
    noTerminal: 0.6,
    terminal: 0.3,
    command: 0.3,
    localForward: 0.3,
    stdioForward: 0.3,
    master: 0.3,
    movingFiles: 0.25,
  },
  /** 0..1. By what was seen: both identification strings, one of them, or only a program's name and a port. */
  confidence: { bothSides: 0.95, oneSide: 0.7, nameAndPort: 0.5 },
} as const
