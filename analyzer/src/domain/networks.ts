import { isWithin, parseAddress, parsePrefix } from "./address.js"
import type { Prefix } from "./address.js"

export type Scope = "inside" | "outside"

/** One `inside:` or `outside:` entry of the configuration. */
export interface NetworkRule {
  readonly block: Prefix
  readonly scope: Scope
}

/**
 * What counts as inside without configuration: loopback, private (RFC 1918), link-local, shared (RFC 6598), unique local,
 * multicast and the unspecified address. All else is outside, documentation networks included.
 */
export const insideByDefault: readonly string[] = [
  "0.0.0.0/32",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "224.0.0.0/4",
  "::/128",
  "::1/128",
  "fc00::/7",
  "fe80::/10",
  "ff00::/8",
]

/** Remembered answers; a host talks to few addresses, a scan of many must not grow memory. */
const rememberedAddresses = 8_192

/** Tells inside from outside. The longest prefix wins; a rule beats a default of the same length, a later rule an earlier. */
export class Networks {
  readonly rules: readonly NetworkRule[]
  readonly #blocks: readonly NetworkRule[]
  readonly #remembered = new Map<string, Scope>()

  constructor(rules: readonly NetworkRule[] = []) {
    this.rules = rules
    const defaults = insideByDefault.map((text) => rule(text, "inside"))
    // Stable sort: among equal lengths the order below decides.
    this.#blocks = [...[...rules].reverse(), ...defaults].sort((a, b) => b.block.prefix - a.block.prefix)
  }

  /** Scope of an address in canonical text. What cannot be read counts as inside: no claim is built on it. */
  scopeOf(address: string): Scope {
    const known = this.#remembered.get(address)
    if (known !== undefined) return known
    const scope = this.#lookUp(address)
    if (this.#remembered.size >= rememberedAddresses) this.#remembered.clear()
    this.#remembered.set(address, scope)
    return scope
  }

  isOutside(address: string): boolean {
    return this.scopeOf(address) === "outside"
  }

  #lookUp(text: string): Scope {
    const address = parseAddress(text)
    if (address === undefined) return "inside"
    return this.#blocks.find(({ block }) => isWithin(address, block))?.scope ?? "outside"
  }
}

/** A rule from text such as "203.0.113.0/24". Throws a RangeError that names the text when it is no network. */
export function rule(text: string, scope: Scope): NetworkRule {
  const block = parsePrefix(text)
  if (block === undefined) throw new RangeError(`"${text}" is not a network: write it as 10.0.0.0/8 or fd00::/8`)
  return { block, scope }
}
