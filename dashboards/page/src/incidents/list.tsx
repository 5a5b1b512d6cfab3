import { useState } from "preact/hooks"
import type { IncidentList, IncidentSummary } from "../../contract.js"
import { hrefOf } from "../app/route.js"
import { useLive, useNow, useResource } from "../live/hooks.js"
import { mergeIncidents } from "../live/state.js"
import { Ago } from "../parts/moment.js"
import { Failure, Loading } from "../parts/notice.js"
import { SeverityMark } from "../parts/severity.js"
import { Cut } from "../parts/untrusted.js"
import { count, plural } from "../text/amounts.js"
import { Quiet } from "./quiet.js"

const statuses = ["open", "closed", "all"] as const
const pageSize = 200
const maxLimit = 1_000
/** What was beyond the list moves up when those above it are closed; it is loaded this often, in seconds. */
const refillSeconds = 2

/** Incidents, the gravest first. What changes while it is looked at moves into its place. */
export function Incidents() {
  const live = useLive()
  const [status, setStatus] = useState<(typeof statuses)[number]>("open")
  const [limit, setLimit] = useState(pageSize)
  const [isShort, setShort] = useState(false)
  const nowMs = useNow()
  const tick = isShort ? Math.floor(nowMs / 1_000 / refillSeconds) : 0
  // After a reconnect the list is loaded anew: nobody knows what was missed.
  const { body, error, isCurrent } = useResource<IncidentList>(
    `incidents?status=${status}&limit=${limit}`,
    `${live.sinceMs} ${tick}`,
  )
  const shown = mergeIncidents(body?.incidents ?? [], live.incidents, status).slice(0, limit)
  const total = status === "open" ? (live.overview?.openIncidents ?? body?.total) : body?.total
  const lacks = shown.length < Math.min(limit, total ?? 0)
  if (lacks !== isShort) setShort(lacks)
  return (
    <>
      <div class="bar">
        <h1>Incidents</h1>
        <fieldset class="choice">
          <legend class="hidden">Which incidents</legend>
          {statuses.map((one) => (
            <label key={one}>
              <input type="radio" name="status" checked={one === status} onChange={() => setStatus(one)} />
              {one}
            </label>
          ))}
        </fieldset>
        {body !== undefined && isCurrent && (
          <span class="quiet">{plural(Math.max(total ?? 0, shown.length), "incident")}</span>
        )}
      </div>
      {body === undefined && error !== undefined ? (
        <Failure error={error} what="list" />
      ) : shown.length > 0 ? (
        <Rows incidents={shown} />
      ) : body === undefined || !isCurrent || lacks ? (
        <Loading what="incidents" />
      ) : (
        <Quiet status={status} />
      )}
      {(total ?? 0) > limit && limit < maxLimit && (
        <button type="button" onClick={() => setLimit(Math.min(maxLimit, limit + pageSize))}>
          Show more of {count(total ?? 0)}
        </button>
      )}
    </>
  )
}

function Rows({ incidents }: { readonly incidents: readonly IncidentSummary[] }) {
  return (
    <ol class="rows" data-rows>
      {incidents.map((incident) => (
        <li key={incident.id}>
          <a class={`row ${incident.status}`} data-row href={hrefOf({ view: "incident", id: incident.id })}>
            <SeverityMark severity={incident.severity} />
            <span class="what">
              <strong>
                <Cut text={incident.summary} limit={300} />
              </strong>
              <span class="quiet">
                <Cut text={incident.host.name} limit={60} /> · <Cut text={incident.identity} limit={120} /> ·{" "}
                {plural(incident.findings, "finding")}
                {incident.status === "closed" ? " · closed" : ""}
              </span>
            </span>
            <span class="when">
              <Ago at={incident.last_seen} />
            </span>
          </a>
        </li>
      ))}
    </ol>
  )
}
