/** Where the far side is when it is neither plainly inside nor outside: said, because it is judged like outside. */
import type { Connection, Route } from "../domain/connection.js"
import type { Evidence } from "../domain/finding.js"
import type { View } from "../domain/view.js"
import { endpointText } from "../text/endpoint.js"

const behindTunnel = "a private address that is reached through a tunnel device"
const shared = "a shared address (RFC 6598), as providers and overlay networks hand out"

const ways: Readonly<Partial<Record<Route, string>>> = {
  tunnel: behindTunnel,
  proxy: "a proxy inside that was asked for a place outside",
}

/** What to say of the far side of a connection; undefined when it is plainly outside or inside. */
export function overlayOf(connection: Connection | undefined, view: View): Evidence | undefined {
  if (connection?.initiator !== "local") return undefined
  const { remote, route, openedUs } = connection
  if (view.networks.scopeOf(remote.address, route) !== "overlay") return undefined
  const way =
    view.networks.scopeOf(remote.address) === "overlay" && route !== "proxy" ? shared : (ways[route] ?? shared)
  return {
    kind: "overlay",
    text: `${endpointText(remote)} is ${way}: an overlay, judged like outside. networks.inside in the configuration says otherwise.`,
    atUs: openedUs,
    facts: { remote: endpointText(remote), route },
  }
}
