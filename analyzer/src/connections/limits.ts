import type { RateLimits } from "../domain/fair-rate.js"

/** How much is remembered of one host in one boot. Times are event time, in microseconds. */
export interface TrackerLimits {
  readonly liveConnections: number
  /** Closed connections stay readable, and late records of them recognisable, this long and up to this many. */
  readonly closedConnections: number
  readonly closedUs: number
  /** How long the end of a connection may be on its way when a snapshot does not name it. */
  readonly missingUs: number
  /** A connection without end on which nothing was seen: UDP has no close that is seen always. */
  readonly silentDatagramsUs: number
  /** Between two looks for them. */
  readonly datagramCheckUs: number
  readonly processes: number
  /** Programs that detectors look at when they start; see Examination. */
  readonly newPrograms: RateLimits
  /** An ended process stays readable this long, and as long as a child of it is known. */
  readonly endedProcessUs: number
  readonly edges: number
  /** Twice the bound that the collector has for one group, whatever a collector says. */
  readonly edgesOfGroup: number
  readonly silentEdgeUs: number
  readonly attachments: number
}

const secondUs = 1_000_000
const minuteUs = 60 * secondUs

/** About 150 MB for a host that reaches every limit. */
export const defaultTrackerLimits: TrackerLimits = {
  liveConnections: 200_000,
  closedConnections: 20_000,
  closedUs: minuteUs,
  // A collector ships what it has within a fifth of a second.
  missingUs: 2 * secondUs,
  silentDatagramsUs: 60 * minuteUs,
  datagramCheckUs: minuteUs,
  processes: 100_000,
  // A parallel build on a large machine starts some 2,000 programs a second; a loop of forks made 8,000.
  newPrograms: { windowUs: minuteUs, perWindow: 240_000 },
  endedProcessUs: 10 * minuteUs,
  edges: 50_000,
  edgesOfGroup: 2_048,
  silentEdgeUs: 60 * minuteUs,
  attachments: 20_000,
}
