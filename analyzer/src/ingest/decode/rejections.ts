/** Why something that a collector sent was not used. Records cost themselves, messages their stream. */
const rejectionReasons = [
  "undecodable",
  "column_length",
  "too_many_records",
  "sequence",
  "time",
  "clock_ahead",
  "address_index",
  "port",
  "initiator",
  "protocol",
  "total",
  "text_length",
  "edge_kind",
  "attachment_kind",
  "overload_kind",
  "nonce",
  "address_length",
  "unknown_process",
  "protocol_version",
  "hello",
  "unauthenticated",
  "too_many_streams",
  "too_many_hosts",
  "host_conflict",
  "analysis_failed",
] as const
export type RejectionReason = (typeof rejectionReasons)[number]

export type Reject = (reason: RejectionReason, count?: number) => void

/** Running counts by reason; they only rise. */
export class Rejections {
  readonly #counts = new Map<RejectionReason, number>(rejectionReasons.map((reason) => [reason, 0]))

  readonly count: Reject = (reason, count = 1) => {
    this.#counts.set(reason, this.of(reason) + count)
  }

  of(reason: RejectionReason): number {
    return this.#counts.get(reason) ?? 0
  }

  entries(): readonly (readonly [RejectionReason, number])[] {
    return [...this.#counts]
  }
}
