import { useState } from "preact/hooks"
import type { CouplingCurve, Finding, FindingDetail } from "../../contract.js"
import { hrefOf } from "../app/route.js"
import { useLive, useResource } from "../live/hooks.js"
import { CopyButton } from "../parts/copy-button.js"
import { Ago } from "../parts/moment.js"
import { Failure, Loading } from "../parts/notice.js"
import { SeverityMark } from "../parts/severity.js"
import { Cut, Untrusted } from "../parts/untrusted.js"
import { plural } from "../text/amounts.js"
import { ConnectionFacts } from "./connection-facts.js"
import { CouplingChart } from "./coupling-chart.js"
import { CouplingDiagram } from "./coupling-diagram.js"
import { busiestFirst } from "./curve.js"
import { EvidenceList } from "./evidence.js"
import { PolicyLines } from "./policy.js"
import { ProcessTree } from "./process-tree.js"

/** An open finding's curves move on between its versions; they are loaded again this often, in seconds. */
const refreshSeconds = 5

/** One claim, with all that lets a person believe it, doubt it or body it. */
export function FindingView({ id, nowMs }: { readonly id: string; readonly nowMs: number }) {
  const live = useLive()
  const [isOpen, setOpen] = useState(true)
  const tick = isOpen ? Math.floor(nowMs / 1_000 / refreshSeconds) : 0
  const version = `${live.findings.get(id) ?? 0} ${live.sinceMs} ${tick}`
  const { body, error } = useResource<FindingDetail>(`findings/${encodeURIComponent(id)}`, version)
  if (body === undefined) return error ? <Failure error={error} what="finding" /> : <Loading what="it" />
  const { finding, incident, coupling, policy } = body
  const goesOn = finding.status !== "closed"
  if (goesOn !== isOpen) setOpen(goesOn)
  return (
    <article>
      <p class="path">
        <a href="#/">Incidents</a>
        {incident !== null && (
          <>
            {" › "}
            <a href={hrefOf({ view: "incident", id: incident.id })}>
              <Cut text={incident.summary} limit={90} />
            </a>
          </>
        )}
      </p>
      <h1>
        <Untrusted text={finding.summary} limit={500} />
      </h1>
      <Facts finding={finding} />
      <Coupling finding={finding} curves={coupling} />
      <div class="columns">
        <section>
          <h2>Evidence</h2>
          <EvidenceList evidence={finding.evidence} />
        </section>
        <section>
          <h2>Process</h2>
          <ProcessTree process={finding.process} />
          <h2>Connection</h2>
          <ConnectionFacts finding={finding} />
        </section>
      </div>
      <section>
        <h2>Answer it by policy</h2>
        <PolicyLines policy={policy} />
      </section>
      <p>
        <CopyButton text={JSON.stringify(finding, undefined, 2)} label="Copy the finding as JSON" />
      </p>
    </article>
  )
}

function Facts({ finding }: { readonly finding: Finding }) {
  return (
    <p class="facts">
      <SeverityMark severity={finding.severity} />
      <span>{finding.class.replaceAll("_", " ")}</span>
      <span>{finding.status}</span>
      <span>score {finding.score.toFixed(2)}</span>
      <span>confidence {finding.confidence.toFixed(2)}</span>
      <span>
        host <Untrusted text={finding.host.name} />
      </span>
      <span>
        seen <Ago at={finding.last_seen} />
      </span>
      <span>{finding.attack.join(", ")}</span>
    </p>
  )
}

const chartsAtFirst = 4

function Coupling({ finding, curves }: { readonly finding: Finding; readonly curves: readonly CouplingCurve[] }) {
  const [shown, setShown] = useState(chartsAtFirst)
  const ordered = busiestFirst(curves)
  if (ordered.length === 0) return null
  return (
    <section class="coupling">
      <h2>What went through it</h2>
      {ordered.slice(0, shown).map((curve) => (
        <figure key={curve.channel}>
          <CouplingDiagram finding={finding} curve={curve} />
          <CouplingChart curve={curve} />
        </figure>
      ))}
      {ordered.length > shown && (
        <button type="button" onClick={() => setShown(ordered.length)}>
          Show {plural(ordered.length - shown, "more place", "more places")} inside
        </button>
      )}
    </section>
  )
}
