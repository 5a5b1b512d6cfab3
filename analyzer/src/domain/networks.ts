import { isWithin, parseAddress, parsePrefix } from "./address.js"
import type { Prefix } from "./address.js"
import type { Route } from "./connection.js"

/** "overlay": neither plainly inside nor outside, and judged like outside. */
export type Scope = "inside" | "outside" | "overlay"

/** One `inside:` or `outside:` entry of the configuration. */
export interface NetworkRule {
  readonly block: Prefix
  readonly scope: "inside" | "outside"
}

/**
 * What counts as inside without configuration: loopback, private (RFC 1918), link-local, unique local, multicast and the
 * unspecified address. All else is outside, documentation networks included, but for what is shared.
 */
export const insideByDefault: readonly string[] = [
  "0.0.0.0/32",
  "10.0.0.0/8",
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

/** Handed out by providers and by overlay networks to whom they like (RFC 6598). */
export const sharedByDefault: readonly string[] = ["100.64.0.0/10"]

interface Block {
  readonly block: Prefix
  readonly scope: Scope
  readonly isRule: boolean
}

/** Remembered answers; a host talks to few addresses, a scan of many must not grow memory. */
const rememberedAddresses = 8_192

/** Tells inside from outside. The longest prefix wins; a rule beats a default of the same length, a later rule an earlier. */
export class Networks {
  readonly rules: readonly NetworkRule[]
  readonly #blocks: readonly Block[]
  readonly #remembered = new Map<string, Omit<Block, "block">>()

  constructor(rules: readonly NetworkRule[] = []) {
    this.rules = rules
    const defaults = (texts: readonly string[], scope: Scope): Block[] =>
      texts.map((text) => ({ block: rule(text, "inside").block, scope, isRule: false }))
    const ruled = [...rules].reverse().map(({ block, scope }) => ({ block, scope, isRule: true }))
    // Stable sort: among equal lengths the order below decides.
    this.#blocks = [...ruled, ...defaults(insideByDefault, "inside"), ...defaults(sharedByDefault, "overlay")].sort(
      (a, b) => b.block.prefix - a.block.prefix,
    )
  }

  /**
   * Scope of an address in canonical text, reached so. A rule counts whatever the route is. What cannot be read counts as
   * inside: no claim is built on it. scope_by_route() in agent-bridge/bpf/sockets.bpf.h judges the same.
   */
  scopeOf(address: string, route: Route = "unknown"): Scope {
    const { scope, isRule } = this.#find(address)
    if (isRule) return scope
    if (route === "local" || route === "onward") return "inside"
    if (route === "on-link" && scope !== "overlay") return "inside"
    if (route === "proxy") return "overlay"
    return route === "tunnel" && scope === "inside" ? "overlay" : scope
  }

  /** Outside, or judged like it. */
  isOutside(address: string, route?: Route): boolean {
    return this.scopeOf(address, route) !== "inside"
  }

  #find(address: string): Omit<Block, "block"> {
    const known = this.#remembered.get(address)
    if (known !== undefined) return known
    const found = this.#lookUp(address)
    if (this.#remembered.size >= rememberedAddresses) this.#remembered.clear()
    this.#remembered.set(address, found)
    return found
  }

  #lookUp(text: string): Omit<Block, "block"> {
    const address = parseAddress(text)
    if (address === undefined) return unreadable
    return this.#blocks.find(({ block }) => isWithin(address, block)) ?? anywhere
  }
}

const unreadable = { scope: "inside", isRule: false } as const
const anywhere = { scope: "outside", isRule: false } as const

/** A rule from text such as "203.0.113.0/24". Throws a RangeError that names the text when it is no network. */
export function rule(text: string, scope: NetworkRule["scope"]): NetworkRule {
  const block = parsePrefix(text)
  if (block === undefined) throw new RangeError(`"${text}" is not a network: write it as 10.0.0.0/8 or fd00::/8`)
  return { block, scope }
}
