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
  /** Bytes that must have been read by the shell, and not a byte more have come in, for the sizes to convict alone. */
  matchedBytes: 16,
  /** Or as many separate moments at which both totals agreed. */
  matchedMoments: 2,
  /**
   * Of the moments at which the shell has read, so many must be in step: a person who types beside a chatty connection hits
   * its sizes now and then. Half of them are sampled too early or too late even for a shell.
   */
  matchedShare: 1 / 3,
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
    /** The same of a program that is no known shell: renamed, or another program that speaks with the far side. */
    bytesMatchTerminal: { score: 0.8, confidence: 0.85 },
    bytesMatchPipes: { score: 0.6, confidence: 0.7 },
    /** A shell, but a filter in a script between two connections reads like that, too. */
    bytesMatchBetween: { score: 0.75, confidence: 0.8 },
    /** What came in is what ran, what it wrote is what left, and nothing ran otherwise. */
    runsCommands: { score: 0.92, confidence: 0.93 },
    probablyRunsCommands: { score: 0.75, confidence: 0.8 },
    possiblyRunsCommands: { score: 0.55, confidence: 0.6 },
    /** Driven from outside, as runners of jobs and agents are: policy decides. */
    runsOnRequest: { score: 0.3, confidence: 0.6 },
  },

  /** Programs that begin after A spoke, in bits. */
  executions: {
    /** Shares of programs that are commands from A in each class of delays: a fork takes 1 to 10 ms, on a busy host 50. */
    commandShares: [0.3, 0.3, 0.22, 0.12, 0.06],
    /** Shares of the time of a connection that speaks once a second in each class, and for how long it is taken for one. */
    chattyShares: [0.004, 0.012, 0.048, 0.192, 0.744],
    priorNs: 3_000_000_000,
    /** A week of polls that are followed by a program is no stronger than this. Bits. */
    maxTimingBits: 16,
    /** Bounds of either comparison of lengths: one does not convict alone, and a cause in doubt is not lost for ever. */
    maxLengthBits: 12,
    minLengthBits: -6,
    /** Turns that count as independent: people repeat themselves. */
    countedTurns: 6,
    /** Differences of lengths that vary less than this, in bytes, are constant: a digit more in a header. */
    exactBytes: 1,
    /** Where it does not vary at all: that the two then follow each other by less than a byte is seldom by chance. */
    sameBytes: 0.25,
    /** Difference of a command and what came in without a frame: the line's end is kept or not, and may be two bytes. */
    commandFraming: {
      low: -1.5,
      high: 1.5,
      cost: 0,
      /**
       * A program that is given a message in its words has more of them than came in: what ran is not what was said. A shell adds
       * a redirection at most.
       */
      floor: -16,
      /** A record of TLS 1.3 takes 22 bytes, of 1.2 mostly 29 (RFC 8446 5.2, RFC 5288 3), a websocket's in it 2 more. */
      records: [
        [20.5, 24.5],
        [27.5, 31.5],
      ],
    },
    /** A command and what came in are a record apart: of small messages one in five is by chance. */
    recordBits: 2.5,
    /**
     * Of output and answer: a line's end, a prompt of two bytes. Reports grow with the output, too, if not byte for byte: a
     * difference that varies half or a quarter as much as they do says nothing yet.
     */
    outputFraming: { low: -2, high: 1, cost: 2 },
    /** Without a frame the difference does not vary more than this. Bytes. */
    levelRest: 1,
    /**
     * Keys that are sent as they are typed: what a program says whose line had as many, beside log2 of that number, and what one
     * says whose line had not (a history, a completion, a pipe). Bits. Numbers of messages spread over two decades by chance.
     */
    keys: { each: 1.5, untyped: -1 },
    /**
     * The same frame both ways, none or that of a record: what leaves may take a few, one for the output of each program and one
     * for the prompt, and a prompt of two bytes or a line's end.
     */
    frames: { max: 5, records: [1, 2, 3], slack: { low: -1, high: 2 } },
    /** ln(10^6): lengths between a byte and a megabyte, each decade as likely. */
    lengthDensity: 13.8,
    /**
     * A command in a larger frame than records of TLS and websockets have (2 to 40 bytes) came in a document, as jobs of
     * runners do. Their output leaves in parts, with a report: that of a shell which polls leaves whole.
     */
    documentBytes: 64,
    minOutputsOfDocuments: 3,
    /** The first that holds. The forward direction is asked for: a runner of jobs sends its programs' output, too. */
    verdicts: [
      { reason: "runsCommands", minTiming: 4, minCommands: 2.5, minContent: 8, minTotal: 16 },
      { reason: "probablyRunsCommands", minTiming: 4, minCommands: 2.5, minContent: 6, minTotal: 12 },
      { reason: "possiblyRunsCommands", minTiming: 3, minCommands: 2.5, minContent: 4, minTotal: 9 },
      { reason: "runsOnRequest", minTiming: 10, minCommands: -Infinity, minContent: -Infinity, minTotal: -Infinity },
    ],
  },
} as const
