import { lostKinds } from "../domain/lost.js"
import type { MetricSource, Reading } from "./metric-declarations.js"

export function lostByHost(source: MetricSource): readonly Reading[] {
  const hosts = new Map<string, Map<string, number>>()
  for (const { host, counts } of source.analyzer().sessions) {
    const kinds = hosts.get(host) ?? new Map<string, number>()
    hosts.set(host, kinds)
    for (const kind of lostKinds) kinds.set(kind, (kinds.get(kind) ?? 0) + (counts.lost?.[kind] ?? 0))
  }
  return [...hosts].flatMap(([host, kinds]) => [...kinds].map(([kind, value]): Reading => [{ host, kind }, value]))
}

/** Boots of one host count together. */
export function ofShares(part: "costMs" | "delayedMs") {
  return (source: MetricSource): readonly Reading[] => {
    const seconds = new Map<string, number>()
    for (const { view, share } of source.analyzer().hosts)
      seconds.set(view.host.hostName, (seconds.get(view.host.hostName) ?? 0) + share[part] / 1_000)
    return [...seconds].map(([host, value]): Reading => [{ host }, value])
  }
}
