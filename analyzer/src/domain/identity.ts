/** Microseconds since the Unix epoch: exact in a double until the year 2255. */
export type Microseconds = number

/** `pid:startNs`, unique within one boot of a host. */
export type ProcessKey = string

export interface Endpoint {
  /** Canonical text; IPv4 stays dotted, v4-mapped addresses never appear. */
  readonly address: string
  readonly port: number
}

export interface SshForward {
  readonly path: string
  readonly directive: string
}

export interface ProcessFacts {
  readonly key: ProcessKey
  /** In the root pid namespace. */
  readonly pid: number
  /** Nanoseconds since boot, as decimal text. */
  readonly startNs: string
  readonly parent: ProcessKey | undefined
  readonly exe: string
  readonly argv: readonly string[]
  readonly argvTruncated: boolean
  readonly uid: number
  readonly cwd: string
  readonly containerId: string
  readonly cgroup: string
  readonly comm: string
  readonly hasTty: boolean
  readonly execUs: Microseconds
  readonly sshForwards: readonly SshForward[]
}

/** A connection within one boot of one host. */
export interface ConnectionKey {
  readonly hostId: string
  readonly bootId: string
  /** 16 hex digits. */
  readonly cookie: string
}

export interface HostFacts {
  readonly hostId: string
  readonly hostName: string
  readonly bootId: string
  readonly kernel: string
  readonly collectorVersion: string
  readonly instance: string
  readonly degraded: readonly { readonly feature: string; readonly consequence: string }[]
}

/** Who answers for what a process takes of the analyzer's memory: a user, of its container. */
export function accountOf({ uid, containerId }: Pick<ProcessFacts, "uid" | "containerId">): string {
  return containerId === "" ? `uid ${uid}` : `uid ${uid} of ${containerId}`
}
