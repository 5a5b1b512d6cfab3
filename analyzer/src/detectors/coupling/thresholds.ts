/**
 * Weights, limits and scores of the coupling detector. Weights are bits: each doubles the odds that somebody outside works
 * through these processes against that they work for themselves. They are reasoned, rounded towards less, and held against
 * labelled recordings by `npm run lab -- --weights`: where these say by more than chance that one is too much, it has been lowered.
 */
export const couplingThresholds = {
  /** What sizes have to do with each other. */
  conservation: {
    /** Bytes by which padding and record headers differ from turn to turn without saying anything (SSH pads to 8 or 16). */
    framingSpreadBytes: 16,
    /** Deviation of the difference where a tool adds a header of a few bytes. */
    headerDeviationBytes: 12,
    /** The most that framing (TLS, websocket, a multiplexer) adds to a message, and to a bulk answer as a share of it. */
    framingBytes: 400,
    framingShare: 0.1,
    /** Sizes of independent messages lie over six decades: natural logarithm of that. */
    decades: Math.log(1e6),
    /** Share of relays that add and lose nothing, of those that keep near to the size, and of those that change it as they like. */
    exactShare: 0.3,
    /** A direction says no more than this, for and against: a relay may pad, compress or encode what it passes on. */
    levelBits: { min: -1.5, max: 10 },
    variationBits: { min: -4, max: 12 },
    bits: { min: -2, max: 14 },
    /**
     * On the way in less: who stores, logs or forwards what he is pushed keeps its sizes as a relay does. Recordings say a tenth
     * of what was reasoned, and at most the half, which it is now.
     */
    forwardMaxBits: 7,
    /**
     * Sizes that grow on the way in or shrink on the way out vary together where a client wraps messages into statements or
     * answers rows with a digest, as much as where a relay adds headers or compresses.
     */
    againstFramingBits: 3,
    /**
     * What a fitted slope costs, and the most it says: it has two more free parameters than a constant offset, and sizes that
     * both grow with time fit one too (an agent that sends its whole context again with each answer).
     */
    slopeCostBits: 3,
    slopeMaxBits: 8,
    /** Deviation, as a share of the size, that framing of varying length leaves (TLS records, padding); beyond it, so much. */
    restShare: 0.05,
    restBits: 3,
    /** Fewer bytes in a turn agree by chance too easily to be called exact. */
    exactMinBytes: 32,
    /**
     * Share of bytes that may be under way between A and B when an edge is read. TCP buffers of a busy relay hold a few
     * per cent of a second's traffic.
     */
    slack: 0.05,
    /**
     * What B answers with fewer bytes on average is an acknowledgement ("+OK", a row's number), and the size of what leaves on A
     * then says at most so much: less than `bothWays` asks of a direction.
     */
    acknowledgementBytes: 16,
    acknowledgementMaxBits: 2,
    /** Nothing came back on this A: answers may leave on another one. */
    noAnswerBits: -1,
  },

  /** Who waited for whom. Each entry is [bits each time, min, max in all]: turns of one program are not independent. */
  order: {
    /** The first write to what was dialled came after A had spoken again: the far side waited for the opening. */
    waited: [2.5, 0, 7],
    /** It came at once: as a client does, and a relay whose far side sends with the opening. */
    straight: [-0.6, -1.5, 0],
    /** B was written after each answer only when A had spoken. */
    prompted: [0.5, 0, 3],
    /** B was written after its answer although A had said nothing: a conversation of this program's own. */
    own: [-8, -24, 0],
    /** What B answered left on A; it was never passed on; B was written again with the answer kept. */
    passed: [0.3, 0, 1.5],
    neverPassed: [-2, -2, 0],
    kept: [-4, -8, 0],
    /** B's answer left piece by piece as it came: nobody here reads it whole. */
    streamed: [2, 0, 4],
    /** This host closed B after A's last word, or by itself. */
    closedAfter: [3.5, 0, 10],
    closedAlone: [-2, -5, 0],
    /** B was opened with nothing heard from A. */
    openedAlone: [-2, -8, 0],
  },

  /**
   * Coincidence: what follows A comes sooner than the time between A's messages. An event that follows by chance is a
   * factor of 2^1.44 early on average; each event has to beat 2^`leadBits`.
   */
  chance: { leadBits: 3, min: -5, max: 30 },

  /**
   * Two processes of one workload of which one dials when the other was spoken to, joined by nothing that is seen: the first
   * such dial is the very reason why they are held against each other.
   */
  joinedByWorkloadBits: -6,

  /** Bits from which on it is worth a note, an alert, an urgent one, and is beyond doubt. */
  verdictBits: { note: 3, medium: 6, high: 10, certain: 20 },
  /**
   * As long as who waited for whom does not speak for a relay by `withoutOrderBits`, both directions have to: clients that
   * store what they are pushed conserve one, and an acknowledgement of some tens of bytes for one of as many comes to 4 bits.
   */
  bothWays: {
    withoutOrderBits: 3,
    forward: 2,
    backward: 4.5,
    strong: { bits: 10, forward: 0, backward: 4.5 },
    /** Turns of a kept B for each of its closings, beyond which that it was closed after A spoke shows no order. */
    turnsOfClosing: 8,
  },
  /** Where order says nothing, since B was open before and nobody was seen to wait, sizes have to say more, over more turns. */
  keptOpen: { note: 6, medium: 12, high: 20, certain: 26, minTurns: 4, exactTurns: 1 },

  /**
   * An SSH client that dials inside this soon after connecting may be fetching a ticket for its login (Kerberos: one to
   * three requests to a KDC, each longer than what asked for it). Microseconds.
   */
  loginUs: 5_000_000,
  loginDials: 3,
  /** Edges and places that a finding names: those of a tunnel into a whole network are told by its first ones. */
  shownEdges: 8,
  shownPlaces: 3,

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
    note: { score: 0.35, confidence: 0.5 },
    medium: { score: 0.65, confidence: 0.7 },
    high: { score: 0.9, confidence: 0.9 },
    certain: { score: 0.95, confidence: 0.95 },
  },
} as const
