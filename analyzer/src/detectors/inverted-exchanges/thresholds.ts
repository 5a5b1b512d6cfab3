/** Limits and scores of inverted exchanges. "Measured" is in the lab and on real traffic. */
export const invertedExchangesThresholds = {
  /** Remote-led exchanges before anything is claimed: measured, 7 of 8 was reached 6.8 s and 58 s after first use. */
  minRemoteLed: 8,
  /** Share of all exchanges that the remote led. Measured: .98 and more for ssh -R, .50 for a mining pool. */
  minRemoteLedShare: 0.8,
  /** Share of remote-led exchanges that this host answered within 1 s. Pushes without answer have 0. */
  minAnsweredShare: 0.8,
  /** Local reply time over remote reply time, geometric means. Measured: .003 for ssh -R in use, 4 and more forward. */
  maxTurnaroundRatio: 0.5,
  /** Nanoseconds. Where the remote never answered, the local reply must itself be that of a machine. */
  machineReplyNs: 100_000_000,
  /** Share of answers of one size, above which the answer is the next poll. Measured: 1.00 for consumers and runners. */
  longPollSameSize: 0.8,
  /** Share of exchanges with one message each way. A long poll always has a request outstanding. */
  longPollAlternation: 0.9,
  /** New claims about one connection only when this many more exchanges were seen, as a factor. */
  repeatFactor: 2,
  /** Measured: Kafka consumers, CI runners and Ray workers look the same, so that this alone never wakes a person (.5). */
  maxScore: 0.4,
  /** Below what is shown (.2): a long poll is for the record. */
  longPollScore: 0.15,
  confidence: 0.5,

  /**
   * An SSH session that an SSH server of this host passes on to the outside (a jump host). Its client is at this end, so that it
   * leads: keys, commands, copies. A far side that leads and is answered with more than a keep-alive gets (some 50 bytes)
   * works through a forwarding inside it.
   */
  relayed: {
    minRemoteLed: 4,
    minRemoteLedShare: 0.6,
    minAnswerBytes: 100,
    /** Connections of the server that are looked through for the one that it accepted. */
    lookedConnections: 64,
    /** Wakes a person (.5): the lead says that the outside works through it, and not what it reaches. */
    score: 0.55,
    confidence: 0.7,
  },
} as const
