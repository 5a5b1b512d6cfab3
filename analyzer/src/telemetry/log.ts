/** Where the analyzer says what happened: fields first, then one lower-case sentence. A pino logger is one. */
export interface Log {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}
