import type { LostKind } from "../../domain/lost.js"
import type { OverloadKind } from "../../domain/overload.js"

const secondUs = 1_000_000
const minuteUs = 60 * secondUs

/** How far beyond a bound, within one window, what one kind of work is worth. Amounts are beyond the bound. */
export interface FloodLimits {
  /** From here on it is a note: far more than a bound that was only a little small. */
  readonly note: number
  /** From here on it counts as one of those that repeat, and what was lost meanwhile as its doing. */
  readonly burst: number
  /** No ordinary program of the kind reaches it. */
  readonly flood: number
}

/** Limits and scores of the detector of blinding. Scores and confidences are 0..1. */
export const blindingThresholds = {
  /** Microseconds in which amounts are compared with the limits: amount and rate in one number. */
  windowUs: 10 * secondUs,

  /** Beyond the collector's bound, in one window of 10 s. */
  perWindow: {
    // Places inside, dialled by a group that also speaks to the outside. A monitoring server has some 2,000 targets; a scan of
    // every port of one host by connect() is 65,535 and takes 3 s to a minute. A loop of connect() made 17,000 to 25,000 a second.
    edges: { note: 10_000, burst: 30_000, flood: 100_000 },
    // Groups of processes with a connection to the outside, of one identity. xargs with curl starts some 200 a second.
    groups: { note: 2_000, burst: 5_000, flood: 20_000 },
    // Visited in walks, which come about once a second at most. A database has 20,000, a busy proxy 100,000, and each walk
    // counts them again; processes that share one full table made millions a walk.
    descriptors: { note: 500_000, burst: 2_000_000, flood: 5_000_000 },
    // Lost for want of room, whoever's they are. A build makes hundreds of execs a second and loses none; a burst at the start of
    // a host loses some hundreds. An exec loop with long arguments lost 31,000 in 8 s.
    records: { note: 500, burst: 5_000, flood: 20_000 },
  } satisfies Readonly<Record<OverloadKind, FloodLimits>>,

  /** Microseconds without excess after which the next one is another burst. */
  burstGapUs: 30 * secondUs,
  /** Bursts by which it repeats: once is a mistake, twice is trying again. */
  repeats: 3,
  /** Microseconds in which they must come. A scan that goes on for long is one burst. */
  repeatsWithinUs: 60 * minuteUs,

  /** Records of this host that were lost or given up within a window of a flood's excess: others went unseen with it. */
  lostWithIt: 1_000,
  /** Of what is lost, the kinds that hide what a process did; the others are interim records and what made no sense. */
  unseenKinds: ["ringConnection", "ringExec", "ringExit", "mapSocket", "mapEdge", "mapGroup", "shedFinal"],

  /** Microseconds without excess after which the finding is closed. */
  quietUs: 5 * minuteUs,

  score: {
    /** Very much of one thing: a scan, a load test. */
    note: 0.3,
    /** And records were lost with it: wakes a person (.5). */
    harm: 0.6,
    /** As no ordinary program does, or again and again. */
    flood: 0.8,
  },
  confidence: { note: 0.5, harm: 0.7, flood: 0.9 },

  /** Floods of one user in one container; the excess of others joins the latest of them. */
  floodsOfIdentity: 4,
  /** Floods of one host; past this what comes joins the latest. */
  floods: 256,
  /** Processes of one flood that are told apart. */
  processes: 1_024,
  /** Processes and kinds of which running totals are remembered; the longest unchanged goes first, and is new if it goes on. */
  totals: 4_096,
  /** Times of bursts of one flood. */
  bursts: 16,
} as const satisfies { readonly unseenKinds: readonly LostKind[] } & Readonly<Record<string, unknown>>
