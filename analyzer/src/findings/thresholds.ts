import type { Severity } from "../domain/severity.js"

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

  /**
   * Findings of one host that begin in a minute of event time, and what part of that is for each severity: a person looks at some
   * tens. Ten users with a broken loop each made 30 a minute.
   */
  beginning: {
    windowUs: 60 * secondUs,
    perWindow: 2_000,
    parts: { info: 0.4, low: 0.5, medium: 0.7, high: 0.9, critical: 1 } satisfies Readonly<Record<Severity, number>>,
  },

  curves: {
    /** Microseconds of event time between two points of one curve: a person reads curves of minutes to days. */
    everyUs: secondUs,
    /** Connections of one host whose curves are kept; past this the first one stops. */
    connections: 1_000,
    /** Curves of one connection: a proxy that fans out to hundreds of places is told by its first ones. */
    channels: 64,
  },
} as const
