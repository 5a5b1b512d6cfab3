import type { Output } from "../domain/output.js"

/**
 * Where outputs go. One sink, the store, is the durable one: a batch is acknowledged to its collector when its write has
 * resolved. The others get only outputs that hold findings, incidents or curves, and their failures stop nothing.
 */
export interface Sink {
  readonly name: string
  /**
   * Resolves once the outputs are kept in the way this sink promises. After a rejection the same array is written again,
   * so a sink must recognise tokens (store) or repeated finding versions (the rest).
   */
  write(outputs: readonly Output[]): Promise<void>
  /** Lets go of what the sink holds, such as a file; nothing is written after it. */
  close?(): Promise<void>
}
