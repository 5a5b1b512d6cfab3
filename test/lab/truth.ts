/** What really went on in a case, socket by socket: from the packets and from who held what, and not from Backflow. Pure. */
import type { Kind } from "./case.js"

type End = readonly [address: string, port: number]

/** A line of programs/flows.py. */
export interface Flow {
  readonly protocol: "tcp" | "udp"
  readonly opener: End
  readonly responder: End
  readonly first_us: number
  readonly last_us: number
  readonly sent: number
  readonly received: number
}

/** A line of programs/owners.py. */
export interface Owner {
  readonly protocol: "tcp" | "udp"
  readonly local: End
  readonly remote: End
  readonly pid: number
  readonly exe: string
  readonly at_us: number
}

/**
 * outside: opened here, to the outside. tunnel: the same, and the outside works through it. inside: opened here, to inside.
 * reached: the same, for the outside. accepted: opened by somebody else.
 */
export type Role = "outside" | "tunnel" | "inside" | "reached" | "accepted"

export interface SocketTruth {
  readonly protocol: "tcp" | "udp"
  readonly local: End
  readonly remote: End
  readonly role: Role
  readonly processes: readonly { readonly pid: number; readonly exe: string }[]
  /** Indices of the tunnels that what a reached socket carries came through. */
  readonly coupled_to: readonly number[]
  readonly from_us: number
  readonly to_us: number
  readonly bytes_sent: number
  readonly bytes_received: number
}

export interface Played {
  readonly kind: Kind
  readonly flows: readonly Flow[]
  readonly owners: readonly Owner[]
  /** First byte that the outside sent in; undefined for what is not used. */
  readonly firstUs: number | undefined
  /** Far ports of the tunnel, where not every connection to the outside is one. */
  readonly tunnelPorts: readonly number[]
}

/** Documentation networks, and the shared address (RFC 6598) of cases/inside-places.ts. */
const isOutside = (address: string): boolean =>
  ["203.0.113.", "2001:db8:", "100.64."].some((prefix) => address.startsWith(prefix))
const isHere = (address: string): boolean =>
  address.startsWith("127.") || address === "::1" || address === "10.77.0.2" || address === "fd00:77::2"

export function truthOf(played: Played): SocketTruth[] {
  const flows = [...played.flows].sort((a, b) => a.first_us - b.first_us)
  const plain = flows.map((flow) => ({ flow, role: roleOf(flow, played) }))
  const tunnels = plain.flatMap(({ role }, i) => (role === "tunnel" ? [i] : []))
  return plain.map(({ flow, role }, i) => ({
    protocol: flow.protocol,
    ...(role === "accepted" && !isHere(flow.opener[0])
      ? { local: flow.responder, remote: flow.opener }
      : { local: flow.opener, remote: flow.responder }),
    role,
    processes: processesOf(flow, played.owners),
    coupled_to: role === "reached" ? tunnels.filter((t) => t !== i) : [],
    from_us: isUsed(role) ? Math.max(flow.first_us, played.firstUs ?? flow.first_us) : flow.first_us,
    to_us: flow.last_us,
    bytes_sent: flow.sent,
    bytes_received: flow.received,
  }))
}

const isUsed = (role: Role): boolean => role === "tunnel" || role === "reached"

function roleOf({ opener, responder, last_us }: Flow, { kind, firstUs, tunnelPorts }: Played): Role {
  if (!isHere(opener[0])) return "accepted"
  const isMalicious = kind === "malicious"
  if (isOutside(responder[0])) {
    const isTunnel = isMalicious && (tunnelPorts.length === 0 || tunnelPorts.includes(responder[1]))
    return isTunnel ? "tunnel" : "outside"
  }
  // Services of the lab that a tunnel leads to; a connection that was kept from before counts from the first use on.
  const isTarget = [8000, 6000].includes(responder[1])
  return isMalicious && firstUs !== undefined && isTarget && last_us >= firstUs ? "reached" : "inside"
}

function processesOf({ protocol, opener, responder }: Flow, owners: readonly Owner[]) {
  const isEnd = (a: End, b: End): boolean => a[0] === b[0] && a[1] === b[1]
  const held = owners.filter(
    (owner) =>
      owner.protocol === protocol &&
      isEnd(owner.local, opener) &&
      (isEnd(owner.remote, responder) || protocol === "udp"),
  )
  return held.map(({ pid, exe }) => ({ pid, exe }))
}
