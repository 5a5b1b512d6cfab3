import { createHmac, randomBytes } from "node:crypto"
import { runKey } from "../../domain/keys.js"
import type { HostFacts } from "../../domain/identity.js"
import { isSameSecret } from "../../config/secrets.js"

/** Half of a nonce is random, the other half says that it is ours: 8 bytes, a byte for each turn of the relay. */
const randomPart = 4

/**
 * Nonces of proofs. Which are ours is computed and not remembered: a collector repeats what it had under way to the analyzer
 * that was started anew, and that must not take its own relay for somebody's tunnel.
 */
export class Nonces {
  readonly #key: string

  /** Nobody else may know `key`. */
  constructor(key: string) {
    this.#key = key
  }

  /** A new one for this run of a collector, as 16 hex digits. */
  issue(host: HostFacts): string {
    const random = randomBytes(randomPart).toString("hex")
    return random + this.#seal(host, random)
  }

  /** Whether it was issued here, and to this run. */
  isOurs(host: HostFacts, nonce: string): boolean {
    const random = nonce.slice(0, 2 * randomPart)
    return isSameSecret(nonce.slice(2 * randomPart), this.#seal(host, random))
  }

  #seal(host: HostFacts, random: string): string {
    const seal = createHmac("sha256", this.#key)
      .update(`${runKey(host)}\n${random}`)
      .digest("hex")
    return seal.slice(0, 2 * randomPart)
  }
}
