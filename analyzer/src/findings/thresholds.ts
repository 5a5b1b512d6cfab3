const secondUs = 1_000_000

/** When a finding gets another version, how much is remembered of findings, and how dense their curves are. */
export const findingThresholds = {
  /** Change of score, 0..1, that makes a new version. */
  scoreStep: 0.05,
  /** Microseconds of event time between versions in which only counters moved. */
  counterRepeatUs: 60 * secondUs,
  /** Microseconds for which an ended finding is remembered, so that the same subject goes on with its version numbers. */
  endedUs: 24 * 3_600 * secondUs,
  /** Findings of another class on one process or connection that are looked at for what they add to one of it. */
  neighbours: 64,
  /** Findings of one host with everything about them. */
  remembered: 50_000,
  /** Forgotten findings of one host whose version numbers go on when they are claimed again. */
  forgotten: 100_000,
  /** Of one finding. A tunnel into many places has one each. */
  maxEvidence: 40,

  curves: {
    /** Microseconds of event time between two points of one curve: a person reads curves of minutes to days. */
    everyUs: secondUs,
    /** Connections of one host whose curves are kept; past this the first one stops. */
    connections: 1_000,
    /** Curves of one connection: a proxy that fans out to hundreds of places is told by its first ones. */
    channels: 64,
  },
} as const
