/** What an alert is about, as every format needs it: who connected to whom, by which program. */
import type { FindingJson } from "../../documents/finding-json.js"
import { programName } from "../../text/program-name.js"

type Connection = NonNullable<FindingJson["connection"]>

export interface Program {
  /** Empty when it is not known. */
  readonly name: string
  readonly path: string
  readonly args: readonly string[]
  readonly commandLine: string
}

export function programOf({ exe, argv }: Pick<FindingJson["process"], "exe" | "argv">): Program {
  return { name: programName(exe), path: exe, args: argv, commandLine: argv.join(" ") }
}

/** False when nothing is known of it, its user included. */
export function isKnown({ pid }: FindingJson["process"]): boolean {
  return pid !== 0
}

/** The end that dialled first; where that is not known it counts as this host. */
export function endsOf({ initiator }: Connection): readonly ["local", "remote"] | readonly ["remote", "local"] {
  return initiator === "remote" ? ["remote", "local"] : ["local", "remote"]
}

/** IANA's protocol numbers. */
const protocolNumbers: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1 }

/** Undefined when it is not known, and in alerts that an earlier release put on disk. */
export function transportOf({ protocol }: Connection): { readonly name: string; readonly number: number } | undefined {
  const number = protocolNumbers[protocol]
  return number === undefined ? undefined : { name: protocol, number }
}

export function ipVersionOf({ remote }: Connection): 4 | 6 {
  return remote.address.includes(":") ? 6 : 4
}
