import { evictedLines, lossLines } from "./losses.js"
import type { AnalyzerStatus } from "./status.js"

/** What was done and what was lost, as lines for a person who stops the analyzer. Losses appear only when there are any. */
export function summaryLines(counts: AnalyzerStatus): string[] {
  const store = counts.deliveries.find(({ sink }) => sink === "store")?.counts
  const lines = [`stored ${store?.written ?? 0} batches`]
  if ((store?.waiting ?? 0) > 0)
    lines.push(`not stored: ${store?.waiting ?? 0} batches, which their collectors will resend`)
  for (const { sink, counts: delivery } of counts.deliveries) {
    if (delivery.failures > 0) lines.push(`${sink}: ${delivery.failures} writes failed and were retried`)
    if (delivery.shed > 0) lines.push(`${sink}: ${delivery.shed} outputs were dropped`)
  }
  for (const { host, counts: session } of counts.sessions) {
    if (session.lost !== undefined) lines.push(...lossLines(session.lost).map((line) => `${host}: ${line}`))
  }
  for (const { view, counts: host } of counts.hosts)
    lines.push(...evictedLines(host.evicted).map((line) => `${view.host.hostName}: ${line}`))
  for (const [reason, count] of counts.rejected) if (count > 0) lines.push(`rejected ${count} times: ${reason}`)
  return lines
}
