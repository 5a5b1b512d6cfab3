import { join } from "node:path"
import type { Config } from "../../config/load.js"
import { printable } from "../../text/terminal-text.js"
import type { Readiness } from "./collector-child.js"

/** Where the page is. `entry` lets in whoever has it. */
export interface PageAddress {
  readonly address: string
  readonly signInAddress: string
  readonly tokenFile: string
}

export interface Addresses {
  readonly page: PageAddress | undefined
  /** Where ClickHouse clients read the embedded store. */
  readonly sql: { readonly url: string; readonly tokenFile: string } | undefined
}

/** What is printed once everything runs. The token is shown to a person at a terminal, and never to a log. */
export function readyText(
  { host, kernel, hooks, degraded = [] }: Readiness,
  { state, store }: Config,
  { page, sql }: Addresses,
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
export function pageLines(page: PageAddress | undefined, isTerminal: boolean): readonly string[] {
  if (page === undefined) return []
  return [
    isTerminal ? `  page       ${page.signInAddress}` : `  page       ${page.address} (token in ${page.tokenFile})`,
  ]
}

/** The same for ClickHouse clients. */
export function sqlAddressLines(sql: Addresses["sql"]): readonly string[] {
  return sql === undefined ? [] : [`  SQL        ${sql.url} (the password of any user is in ${sql.tokenFile})`]
}
