import type { IncidentDetail } from "../../contract.js"
import { hrefOf } from "../app/route.js"
import { useAsked, useLive } from "../live/hooks.js"
import { Ago, Moment } from "../parts/moment.js"
import { Loading, Trouble } from "../parts/notice.js"
import { SeverityMark } from "../parts/severity.js"
import { Cut, Untrusted } from "../parts/untrusted.js"
import { secondsBetween, span } from "../text/amounts.js"

/** One incident: its story, what happened when, and the findings in it. */
export function Incident({ id }: { readonly id: string }) {
  const live = useLive()
  const heard = live.incidents.get(id)?.version ?? 0
  const { answer, refused } = useAsked<IncidentDetail>(
    `incidents/${encodeURIComponent(id)}`,
    `${heard} ${live.sinceMs}`,
  )
  if (answer === undefined) return refused ? <Trouble refused={refused} what="incident" /> : <Loading what="it" />
  return (
    <article>
      <p class="path">
        <a href="#/">Incidents</a>
      </p>
      <h1>
        <Untrusted text={answer.summary} limit={400} />
      </h1>
      <p class="facts">
        <SeverityMark severity={answer.severity} />
        <span>{answer.status}</span>
        <span>
          host <Untrusted text={answer.host.name} />
        </span>
        <span>
          <Untrusted text={answer.identity} />
        </span>
        <span>score {answer.score.toFixed(2)}</span>
        <span>
          first seen <Ago at={answer.first_seen} />, over {span(secondsBetween(answer.first_seen, answer.last_seen))}
        </span>
      </p>
      <div class="columns">
        <section>
          <h2>What happened</h2>
          <ol class="timeline">
            {answer.timeline.map(({ at, finding, text }, i) => (
              <li key={`${at} ${i}`}>
                <Moment at={at} />
                <a href={hrefOf({ view: "finding", id: finding })}>
                  <Cut text={text} limit={400} />
                </a>
              </li>
            ))}
          </ol>
        </section>
        <section>
          <h2>Findings</h2>
          <ul class="rows" data-rows>
            {answer.findings.map((finding) => (
              <li key={finding.id}>
                <a class={`row ${finding.status}`} data-row href={hrefOf({ view: "finding", id: finding.id })}>
                  <SeverityMark severity={finding.severity} />
                  <span class="what">
                    <strong>{finding.class.replaceAll("_", " ")}</strong>
                    <span class="quiet">
                      score {finding.score.toFixed(2)}, {finding.status}
                    </span>
                  </span>
                  <span class="when">
                    <Ago at={finding.last_seen} />
                  </span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      </div>
    </article>
  )
}
