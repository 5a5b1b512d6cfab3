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

  scoring: {
    /**
     * How much another claim on the same connection or process takes away of the doubt, at its full score. Weights are such
     * that no mix of supporting claims alone lifts a note (.35) to what wakes a person (.5) unless somebody also asked for a
     * tunnel.
     */
    raise: {
      reverse_tunnel: 0,
      reverse_shell: 0,
      long_lived_ssh: 0.1,
      ssh_role_inversion: 0.3,
      inverted_flow: 0.3,
      tunnel_intent: 0.3,
    },
    /** Of what policy denies by name: somebody decided beforehand that this must not be. */
    deniedSeverity: "high",
    /** Lowest score of each band. */
    bands: { info: 0, low: 0.2, medium: 0.5, high: 0.7, critical: 0.9 },
    /** The highest band of a class, however sure: what it says alone is no more than this. */
    ceiling: {
      reverse_tunnel: "high",
      reverse_shell: "critical",
      long_lived_ssh: "medium",
      ssh_role_inversion: "high",
      inverted_flow: "low",
      tunnel_intent: "medium",
    },
  },

  findings: {
    /** Change of score that makes a new version. */
    scoreStep: 0.05,
    /** Microseconds of event time between versions in which only counters moved. */
    counterRepeatUs: 60 * secondUs,
    /** Ended findings that are remembered, so that the same subject goes on with its version numbers. */
    endedUs: 24 * hourUs,
    remembered: 50_000,
    /** Forgotten findings of one host whose version numbers go on when they are claimed again. */
    forgotten: 100_000,
    maxEvidence: 40,
  },

  samples: {
    /** Microseconds of event time between two points of one curve: a person reads curves of minutes to days. */
    everyUs: secondUs,
    /** Connections of one host whose curves are kept; past this the first one stops. */
    connections: 1_000,
    /** Curves of one connection: a proxy that fans out to hundreds of places is told by its first ones. */
    channels: 64,
  },

  incidents: {
    /** Microseconds. Steps of one incident were hours and days apart in what has been reported. */
    joinUs: 7 * 24 * hourUs,
    counterRepeatUs: 60 * secondUs,
    maxTimeline: 200,
    /** Findings in one incident; what comes later begins the next one. */
    maxFindings: 500,
    remembered: 5_000,
  },
} as const
