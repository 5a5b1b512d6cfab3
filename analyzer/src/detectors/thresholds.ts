/**
 * Every limit that a detector, the scoring or the joining of findings goes by: value, unit and reason. Those of coupling
 * and reverse shells stand beside their verdicts and are listed here. They are settled by measurement; what a
 * person changes in the configuration comes in by `DetectorOptions`.
 */
import { couplingThresholds } from "./coupling/thresholds.js"
import { reverseShellThresholds } from "./reverse-shell/thresholds.js"

const secondUs = 1_000_000
const hourUs = 3_600 * secondUs

export const thresholds = {
  coupling: couplingThresholds,
  reverseShell: reverseShellThresholds,

  longLivedSsh: {
    /** Microseconds between two claims about one connection that goes on. */
    repeatUs: hourUs,
    /** Bytes per second over the whole age: a copy under way is faster than this, a session of a person far slower. */
    bulkBytesPerSecond: 10_000,
    /** Programs that run ssh to move files. Their ssh has no terminal and may take hours. */
    fileTransferPrograms: ["scp", "sftp", "rsync", "git", "git-remote-ssh", "git-lfs", "borg", "restic"],
    /** What stands in for the identification strings of a socket older than the collector, together with port 22. */
    clients: ["ssh", "dbclient", "plink"],
    /** Connections that are watched for their age. Past this the oldest are let go. */
    watched: 50_000,
    score: { noTerminal: 0.6, terminal: 0.3, movingFiles: 0.25 },
    /** By what was seen: both identification strings, one of them, or only a program's name and a port. */
    confidence: { bothSides: 0.95, oneSide: 0.7, nameAndPort: 0.5 },
  },

  sshRoleInversion: {
    /** The first key exchange message is unambiguous (RFC 4253 8): which side is the client does not need a second look. */
    score: 0.85,
    confidence: 0.95,
  },

  invertedExchanges: {
    /** Remote-led exchanges before anything is said: measured, 7 of 8 was reached 6.8 s and 58 s after first use. */
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
    /** Measured: Kafka consumers, CI runners and Ray workers look the same, so that this alone never wakes a person. */
    maxScore: 0.4,
    longPollScore: 0.15,
    confidence: 0.5,
  },

  intent: {
    /** Asked for, and a connection to the outside was tried or made. */
    connectedScore: 0.55,
    /** Asked for, and nothing has happened yet. */
    askedScore: 0.3,
    confidence: {
      /** The option itself, by the program's own grammar. */
      option: 0.9,
      /** A directive in a file that the program reads; a host pattern may exclude it. */
      configFile: 0.8,
      /** A program under another name whose arguments read like those of ssh. */
      renamed: 0.8,
      /** The arguments of a known tool, by shape. */
      tool: 0.8,
      /** Code in an argument. */
      code: 0.7,
    },
    /** Processes below the one that asked, whose connections count as its own. */
    followedDescendants: 64,
  },
} as const
