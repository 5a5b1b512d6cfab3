import type { IncidentDetail } from "../../contract.js"
import { hrefOf } from "../app/route.js"
import { useLive, useResource } from "../live/hooks.js"
import { Ago, Moment } from "../parts/moment.js"
import { Failure, Loading } from "../parts/notice.js"
import { SeverityMark } from "../parts/severity.js"
import { Cut, Untrusted } from "../parts/untrusted.js"
import { secondsBetween, span } from "../text/amounts.js"

/** One incident: its story, what happened when, and the findings in it. */
export function Incident({ id }: { readonly id: string }) {
  const live = useLive()
  const version = live.incidents.get(id)?.version ?? 0
  const { body, error } = useResource<IncidentDetail>(
    `incidents/${encodeURIComponent(id)}`,
    `${version} ${live.sinceMs}`,
  )
  if (body === undefined) return error ? <Failure error={error} what="incident" /> : <Loading what="it" />
  return (
    <article>
      <p class="path">
        <a href="#/">Incidents</a>
      </p>
      <h1>
        <Untrusted text={body.summary} limit={400} />
      </h1>
      <p class="facts">
        <SeverityMark severity={body.severity} />
        <span>{body.status}</span>
        <span>
          host <Untrusted text={body.host.name} />
        </span>
        <span>
          <Untrusted text={body.identity} />
        </span>
        <span>score {body.score.toFixed(2)}</span>
        <span>
          first seen <Ago at={body.first_seen} />, over {span(secondsBetween(body.first_seen, body.last_seen))}
        </span>
      </p>
      <div class="columns">
        <section>
          <h2>What happened</h2>
          <ol class="timeline">
            {body.timeline.map(({ at, finding, text }, i) => (
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
            {body.findings.map((finding) => (
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
