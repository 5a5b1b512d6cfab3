/** What went wrong, as far as a caller branches on it. The command line maps each to an exit code. */
export type ErrorCode =
  | "usage"
  | "config"
  | "state-locked"
  | "address-in-use"
  | "host-unfit"
  | "store-unreachable"
  | "store-newer"
  | "store-write"
  | "collector-missing"
  | "collector-failed"
  | "schema-differs"
  | "broker-unusable"
  | "check-failed"
  | "not-proven"

/** An error with a remedy that a person can follow. The message is one sentence, without the remedy. */
export class AppError extends Error {
  override readonly name = "AppError"
  readonly code: ErrorCode
  readonly remedy: string

  constructor(code: ErrorCode, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.remedy = remedy
  }
}

/** The message of anything thrown, on one line. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  return text.replace(/\s+/g, " ").trim()
}
