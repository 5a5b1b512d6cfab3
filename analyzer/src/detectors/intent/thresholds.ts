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
  },
  /** Processes below the one that asked, whose connections count as its own. */
  followedDescendants: 64,
  /** Port of the Domain Name System (RFC 1035 4.2): names are looked up before anything is dialled. */
  domainPort: 53,
  /** Characters of an argument in evidence, and in the summary: code can fill a page. */
  evidenceCharacters: 300,
  summaryCharacters: 80,
} as const
