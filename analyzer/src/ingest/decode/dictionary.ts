import type { ProcessKey } from "../../domain/identity.js"
import { wireLimits } from "./wire-limits.js"

/** Process references of one collector instance. At the limit the oldest reference is forgotten. */
export class ProcessDictionary {
  readonly #keys = new Map<number, ProcessKey>()

  learn(reference: number, key: ProcessKey): void {
    if (this.#keys.size >= wireLimits.processReferences && !this.#keys.has(reference)) {
      const oldest = this.#keys.keys().next()
      if (oldest.done !== true) this.#keys.delete(oldest.value)
    }
    this.#keys.set(reference, key)
  }

  keyOf(reference: number): ProcessKey | undefined {
    return this.#keys.get(reference)
  }

  /** The key that the reference stood for. */
  forget(reference: number): ProcessKey | undefined {
    const key = this.#keys.get(reference)
    this.#keys.delete(reference)
    return key
  }
}
