import type { HostSummary, Overview, SinkState } from "../../contract.js"
import { useLive } from "../live/hooks.js"
import { Ago } from "../parts/moment.js"
import { Loading, Notice } from "../parts/notice.js"
import { Untrusted } from "../parts/untrusted.js"
import { bytes, count, plural, span } from "../text/amounts.js"
import { printable } from "../text/printable.js"

/** What is lost, degraded or failing, and what to do about it. */
export function Health() {
  const { overview } = useLive()
  if (overview === undefined) return <Loading what="the state" />
  return (
    <>
      <h1>Health</h1>
      <Problems problems={overview.problems} />
      <h2>Hosts</h2>
      {overview.hosts.length === 0 ? <Notice title="No host reports" /> : <Hosts hosts={overview.hosts} />}
      <h2>Where it goes</h2>
      <Sinks sinks={overview.sinks} />
      <p class="quiet">
        Backflow {overview.version}, started <Ago at={overview.started} />. <a href="./metrics">Metrics</a> are for
        Prometheus.
      </p>
    </>
  )
}

function Problems({ problems }: { readonly problems: Overview["problems"] }) {
  if (problems.length === 0) return <p class="good">Nothing is lost, degraded or failing.</p>
  return (
    <ul class="problems">
      {problems.map(({ severity, text, remedy }) => (
        <li key={text} class={severity}>
          <strong>{severity === "error" ? "Failing" : "Warning"}</strong> <Untrusted text={text} limit={400} />
          <span class="remedy">{printable(remedy)}</span>
        </li>
      ))}
    </ul>
  )
}

function Hosts({ hosts }: { readonly hosts: readonly HostSummary[] }) {
  return (
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">host</th>
            <th scope="col">collector</th>
            <th scope="col">last report</th>
            <th scope="col">last proven</th>
            <th scope="col">connections</th>
            <th scope="col">degraded</th>
            <th scope="col">lost</th>
          </tr>
        </thead>
        <tbody>
          {hosts.map((host) => (
            <tr key={`${host.id} ${host.lastReceivedAt}`} class={host.blind === null ? undefined : "blind"}>
              <th scope="row">
                <Untrusted text={host.name} limit={60} />
              </th>
              <td>
                {host.connected ? "connected" : "disconnected"}, {printable(host.collectorVersion)} on Linux{" "}
                {printable(host.kernel)}
              </td>
              <td>
                <Ago at={host.lastReceivedAt} />
              </td>
              <td class={host.blind === null ? undefined : "failing"}>
                {host.lastProvenAt === null ? "never" : <Ago at={host.lastProvenAt} />}
                {host.blind === null ? null : <p>blind: {printable(host.blind)}</p>}
              </td>
              <td class="number">{count(host.liveConnections)}</td>
              <td>
                {host.degraded.length === 0 ? "no" : null}
                {host.degraded.map(({ feature, consequence }) => (
                  <p key={feature}>
                    {printable(feature)}: {printable(consequence)}
                  </p>
                ))}
              </td>
              <td>
                {host.lost.length === 0 ? "nothing" : null}
                {host.lost.map(({ kind, count: lost, text }) => (
                  <p key={kind}>
                    {count(lost)} {printable(text)}
                  </p>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Sinks({ sinks }: { readonly sinks: readonly SinkState[] }) {
  return (
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">to</th>
            <th scope="col">state</th>
            <th scope="col">written</th>
            <th scope="col">failures</th>
            <th scope="col">waiting</th>
            <th scope="col">given up</th>
            <th scope="col">on disk</th>
          </tr>
        </thead>
        <tbody>
          {sinks.map(({ name, condition, written, failures, waiting, shed, outbox }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class={condition.state}>
                {condition.state}
                {condition.text === "" ? "" : `: ${printable(condition.text)}`}
              </td>
              <td class="number">{count(written)}</td>
              <td class="number">{count(failures)}</td>
              <td class="number">{count(waiting)}</td>
              <td class="number">{count(shed)}</td>
              <td>
                {outbox === undefined
                  ? ""
                  : `${bytes(outbox.bytes)} of ${bytes(outbox.limitBytes)}, the oldest ${outbox.oldestSeconds === 0 ? plural(0, "second") : span(outbox.oldestSeconds)}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
