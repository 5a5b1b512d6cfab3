import type { Finding } from "../../contract.js"
import { Ago } from "../parts/moment.js"
import { Untrusted } from "../parts/untrusted.js"
import { bytes } from "../text/amounts.js"
import { endpoint } from "../text/endpoint.js"

export function ConnectionFacts({ finding }: { readonly finding: Finding }) {
  const { connection, process, host } = finding
  const rows: readonly (readonly [string, preact.ComponentChild])[] = [
    ...(connection === null
      ? [["connection", "none yet: the claim is about what was asked for"] as const]
      : ([
          ["from", endpoint(connection.local)],
          ["to", endpoint(connection.remote)],
          ["opened by", connection.initiator === "local" ? "this host" : connection.initiator],
          ["opened", <Ago at={connection.opened_at} />],
          ["state", connection.still_open ? "open" : "closed"],
          ["sent, received", `${bytes(connection.bytes_sent)}, ${bytes(connection.bytes_received)}`],
          ["network namespace", String(connection.netns)],
        ] as const)),
    ["user", `uid ${process.uid}`],
    ["container", process.container_id === "" ? "none" : <Untrusted text={process.container_id.slice(0, 12)} />],
    ["host", <Untrusted text={`${host.name} (${host.id})`} />],
    ["detector", `${finding.detector}, version ${finding.version} of the finding`],
  ]
  return (
    <table class="list">
      <tbody>
        {rows.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
