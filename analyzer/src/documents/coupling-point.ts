/** A connection within one boot of one host; the cookie is 16 hex digits. */
export interface ConnectionKey {
  readonly hostId: string
  readonly bootId: string
  readonly cookie: string
}

/** One point of a curve behind a finding: bytes so far, received on A and written to B (forward), and back. */
export interface CouplingPointJson {
  readonly channel: string
  /** Milliseconds since the Unix epoch. */
  readonly at_ms: number
  readonly forward_in: number
  readonly forward_out: number
  readonly backward_in: number
  readonly backward_out: number
}
