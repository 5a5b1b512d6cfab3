import { messageOf } from "../../errors.js"

/** An error in the engine's own terms: clients branch on the number. */
export class EngineError extends Error {
  override readonly name = "EngineError"
  readonly code: number
  readonly label: string

  constructor(code: number, label: string, message: string) {
    super(message)
    this.code = code
    this.label = label
  }
}

/** Errors that are found here, before the engine, by their number in ClickHouse's ErrorCodes.cpp. */
export const refusals = {
  readonly: (message: string) => new EngineError(164, "READONLY", message),
  denied: (message: string) => new EngineError(497, "ACCESS_DENIED", message),
  unauthenticated: () =>
    new EngineError(516, "AUTHENTICATION_FAILED", "Authentication failed: the password or bearer token is missing or wrong."), // prettier-ignore
  tooLarge: (bytes: number) => new EngineError(223, "QUERY_IS_TOO_LARGE", `A request may have ${bytes} bytes at most.`),
  tooMany: () => new EngineError(202, "TOO_MANY_SIMULTANEOUS_QUERIES", "Too many queries wait already."),
  compression: (method: string) =>
    new EngineError(89, "UNKNOWN_COMPRESSION_METHOD", `Compression "${method}" is not supported here: use gzip or none.`), // prettier-ignore
  arguments: (message: string) => new EngineError(36, "BAD_ARGUMENTS", message),
  database: (name: string) => new EngineError(81, "UNKNOWN_DATABASE", `Database ${name} does not exist`),
  path: (path: string) => new EngineError(81, "UNKNOWN_DATABASE", `There is no handle ${path}: ask / or /ping.`),
} as const

/** The engine's error of anything thrown; 1001 (STD_EXCEPTION) where it named no number. */
export function engineError(thrown: unknown): EngineError {
  if (thrown instanceof EngineError) return thrown
  const text = messageOf(thrown)
  const match = /Code: (\d+)\. DB::Exception: (.*?)\s*(?:\(([A-Z][A-Z0-9_]*)\))?$/s.exec(text)
  if (match === null) return new EngineError(1001, "STD_EXCEPTION", text)
  return new EngineError(Number(match[1]), match[3] ?? "UNKNOWN", match[2] ?? text)
}

/** The status that ClickHouse's HTTP interface gives an error; 500 for the others. */
const statuses: Readonly<Record<number, number>> = {
  6: 400,
  26: 400,
  27: 400,
  36: 400,
  38: 400,
  41: 400,
  42: 400,
  43: 400,
  46: 404,
  47: 404,
  48: 501,
  53: 400,
  60: 404,
  62: 400,
  72: 400,
  73: 404,
  81: 404,
  89: 400,
  115: 404,
  159: 408,
  223: 413,
  456: 400,
  497: 403,
  516: 403,
}

export function statusOf({ code }: EngineError): number {
  return statuses[code] ?? 500
}

/** As clients parse it, with a line end. */
export function textOf({ code, label, message }: EngineError, version: string): string {
  return `Code: ${code}. DB::Exception: ${message} (${label}) (version ${version})\n`
}
