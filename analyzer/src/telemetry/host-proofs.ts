import { bootKey } from "../domain/keys.js"
import { formatTime } from "../text/rfc3339.js"
import type { AnalyzerStatus, HostProof } from "./status.js"

/** Whether each host is proven to be watched: the boots whose collector is connected, or was and no later one is. */
export function hostProofs({ hosts, sessions }: AnalyzerStatus): readonly HostProof[] {
  const connected = sessions.filter((session) => session.connected)
  const boots = new Set(connected.map((session) => bootKey(session)))
  const ids = new Set(connected.map(({ hostId }) => hostId))
  return hosts.flatMap(({ view: { host }, proofs }) => {
    const isConnected = boots.has(bootKey(host))
    if (!isConnected && ids.has(host.hostId)) return []
    const { lastProvenUs, blind } = proofs
    return {
      host: host.hostName,
      hostId: host.hostId,
      connected: isConnected,
      lastProvenAt: lastProvenUs === undefined ? null : formatTime(lastProvenUs),
      blind: blind?.reason ?? null,
    }
  })
}
