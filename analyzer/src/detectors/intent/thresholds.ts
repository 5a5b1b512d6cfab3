const secondUs = 1_000_000
const minuteUs = 60 * secondUs

/** Limits and scores of intent. Scores and confidences are 0..1. */
export const intentThresholds = {
  /** Asked for, and a connection to the outside was tried or made: wakes a person (.5). */
  connectedScore: 0.55,
  /** Asked for, and nothing has happened yet. */
  unconnectedScore: 0.3,
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
    /** Nothing was read that asks for anything; what was not read may. */
    unread: 0.3,
  },
  /**
   * Microseconds in which none of it runs before the finding of several tries is closed: a job of every five minutes, or a loop
   * that waits, is one finding. Shorter than an ended process is known to the tracker.
   */
  quietUs: 6 * minuteUs,
  /** Tries from which a finding says that it is tried again. */
  retried: 2,
  /**
   * Different requests of one user in one container that have findings of their own, at once and one more each refill of
   * microseconds: a person's work or a night of jobs has a few. What comes beyond is joined into one finding.
   */
  requests: 32,
  requestRefillUs: 10 * secondUs,
  /** Joined requests that are shown. */
  examples: 8,
  /** Addresses outside for which a joined finding shows another connection at once; policy judges what is shown. */
  shownPlaces: 64,
  /** Users with requests on one host; those beyond share one joined finding. */
  identities: 1_024,
  /** Processes that are followed. One beyond is counted as a try, and not when it ends. */
  processes: 65_536,
  /** Characters of the words by which requests are told apart. */
  subjectCharacters: 1_024,
  /** Processes below the one that asked, whose connections count as its own. */
  followedDescendants: 64,
  /** Microseconds between two looks through what processes of one intent hold already. */
  lookUs: secondUs,
  /** Connections of one process that are looked through: those that it has held for the longest time. */
  lookedConnections: 1_024,
  /** Subshells, loops and substitutions in one another that are read, and code that is an argument of code. */
  shellDepth: 32,
  shellNesting: 4,
  /** Commands of one script that are looked at: those beyond tell nothing. */
  shellCommands: 1_024,
  /** Characters of code in an argument that are looked at. */
  codeCharacters: 16_384,
  /** Descriptors and variables that are kept apart. */
  shellNames: 64,
  /** Port of the Domain Name System (RFC 1035 4.2): names are looked up before anything is dialled. */
  domainPort: 53,
  /** Characters of an argument in evidence, and in the summary: code can fill a page. */
  evidenceCharacters: 300,
  summaryCharacters: 80,
} as const
