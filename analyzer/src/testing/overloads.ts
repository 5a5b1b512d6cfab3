import type { Overload } from "../domain/overload.js"
import { startUs } from "./time.js"

/** Places inside beyond the 1,024 of one group, dialled by process 4711 at `startUs`. */
export function anOverload(changes: Partial<Overload> = {}): Overload {
  return { kind: "edges", process: "4711:1", count: 1_000, limit: 1_024, firstUs: startUs, lastUs: startUs, ...changes }
}
