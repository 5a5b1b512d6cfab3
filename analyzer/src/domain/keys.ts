import type { ConnectionKey, HostFacts } from "./identity.js"

type Boot = Pick<HostFacts, "hostId" | "bootId">
type Run = Pick<HostFacts, "hostId" | "bootId" | "instance">

// No part has a space, a newline or a colon: decode refuses such ids.

/** One boot of one host: machines cloned with one host id keep apart by their boot id. */
export const bootKey = ({ hostId, bootId }: Boot): string => `${hostId}\n${bootId}`

/** One run of one collector. */
export const runKey = ({ hostId, bootId, instance }: Run): string => `${hostId}\n${bootId}\n${instance}`

export const connectionKey = ({ hostId, bootId, cookie }: ConnectionKey): string => `${hostId}\n${bootId}\n${cookie}`

/** One batch, unique for ever: two outputs with one token are the same batch sent twice. */
export const batchToken = ({ hostId, bootId, instance }: Run, seq: number): string =>
  `${hostId}:${bootId}:${instance}:${seq}`
