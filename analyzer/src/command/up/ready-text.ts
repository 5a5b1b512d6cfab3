import { join } from "node:path"
import type { Config } from "../../config/load.js"
import { printable } from "../../text/terminal-text.js"
import type { PageAddress, ServiceAddresses, SqlAddress } from "../../service/addresses.js"
import type { Readiness } from "../../service/collector/collector-child.js"

/** What is printed once everything runs. The token is shown to a person at a terminal, and never to a log. */
export function readyText(
  { host, kernel, hooks, degraded = [] }: Readiness,
  { state, store }: Config,
  { page, sql }: ServiceAddresses,
  isTerminal: boolean,
): string {
  const onKernel = kernel === undefined ? "" : ` (Linux ${kernel})`
  const attached = hooks === undefined ? "" : ` through ${hooks} hooks`
  return [
    `ready, watching every connection of ${host ?? "this host"}${onKernel}${attached}`,
    ...(degraded.length === 0 ? [] : [`  degraded   ${degraded.join(", ")}`]),
    ...pageLines(page, isTerminal),
    `  store      ${store.url ?? join(state, "store")}`,
    ...sqlAddressLines(sql),
    `  query      backflow findings | connections | incidents --state ${state}`,
  ]
    .map(printable)
    .join("\n")
}

/** One line, or none where there is no page. */
function pageLines(page: PageAddress | undefined, isTerminal: boolean): readonly string[] {
  if (page === undefined) return []
  return [
    isTerminal ? `  page       ${page.signInAddress}` : `  page       ${page.address} (token in ${page.tokenFile})`,
  ]
}

/** The same for ClickHouse clients. */
function sqlAddressLines(sql: SqlAddress | undefined): readonly string[] {
  return sql === undefined ? [] : [`  SQL        ${sql.url} (the password of any user is in ${sql.tokenFile})`]
}

/** The same of an analyzer without a collector of its own. */
export function analyzerReadyText({ collectors, page, sql }: ServiceAddresses, isTerminal: boolean): string {
  return [
    `ready, listening for collectors on ${collectors}`,
    ...pageLines(page, isTerminal),
    ...sqlAddressLines(sql),
  ].join("\n")
}
