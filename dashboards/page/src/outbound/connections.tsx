import type { Driver, OutboundConnection } from "../../contract.js"
import { hrefOf } from "../app/route.js"
import { Untrusted } from "../parts/untrusted.js"
import { bytes, secondsBetween, span } from "../text/amounts.js"
import { commandLine } from "../text/printable.js"

/** Enter on a row opens the finding about it; on a link or a button in it, it means those. */
function openFinding(event: KeyboardEvent, { finding }: OutboundConnection): void {
  if (event.key !== "Enter" || event.target !== event.currentTarget || finding === null) return
  location.hash = hrefOf({ view: "finding", id: finding })
}

const driverLabels: Readonly<Record<Driver, string>> = { remote: "outside", local: "here", unclear: "unclear" }

export function Connections({
  connections,
  nowMs,
}: {
  readonly connections: readonly OutboundConnection[]
  readonly nowMs: number
}) {
  return (
    <div class="wide">
      <table class="connections">
        <thead>
          <tr>
            <th scope="col">to</th>
            <th scope="col">program</th>
            <th scope="col">host</th>
            <th scope="col">age</th>
            <th scope="col">last moved</th>
            <th scope="col">sent</th>
            <th scope="col">received</th>
            <th scope="col">driven from</th>
            <th scope="col">finding</th>
          </tr>
        </thead>
        <tbody data-rows>
          {connections.map((one) => (
            <tr key={`${one.host} ${one.cookie}`} data-row tabIndex={0} onKeyDown={(event) => openFinding(event, one)}>
              <td>
                <code>{one.remote}</code>
                {one.ssh ? " SSH" : ""}
                {one.protocol === "tcp" ? "" : ` ${one.protocol.toUpperCase()}`}
              </td>
              <td class="program">
                <code>
                  <Untrusted text={one.argv.length > 0 ? commandLine(one.argv) : one.exe} limit={70} />
                </code>{" "}
                <span class="quiet">
                  pid {one.pid}, uid {one.uid}
                  {one.containerId === "" ? "" : `, container ${one.containerId.slice(0, 12)}`}
                </span>
              </td>
              <td>
                <Untrusted text={one.host} limit={40} />
              </td>
              <td>{span(secondsBetween(one.openedAt, nowMs))}</td>
              <td>{span(secondsBetween(one.lastMovedAt, nowMs))} ago</td>
              <td class="number">{bytes(one.bytesSent)}</td>
              <td class="number">{bytes(one.bytesReceived)}</td>
              <td class={`driver ${one.driver}`}>{driverLabels[one.driver]}</td>
              <td>{one.finding !== null && <a href={hrefOf({ view: "finding", id: one.finding })}>finding</a>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
