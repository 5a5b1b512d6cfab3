import { useLive, useNow } from "../live/hooks.js"
import { Notice } from "../parts/notice.js"
import { plural, secondsBetween, span } from "../text/amounts.js"

/** What stands where there is no incident: whether that is good news depends on who reports. */
export function Quiet({ status }: { readonly status: "open" | "closed" | "all" }) {
  const { overview } = useLive()
  const now = useNow()
  if (overview === undefined) return <Notice title="No incident" />
  const reporting = overview.hosts.filter(({ connected }) => connected).length
  if (reporting === 0) {
    return (
      <Notice title="No host reports">
        <p>Nothing is watched, so that nothing can be found. On a host that is to be watched, as root:</p>
        <pre>backflow up</pre>
        <p>
          or, for an analyzer elsewhere, <code>backflow-collector --help</code>.
        </p>
      </Notice>
    )
  }
  if (status === "closed") return <Notice title="No closed incident" />
  return (
    <Notice title="Nothing has dug its way out">
      <p>
        Since this analyzer started {span(secondsBetween(overview.started, now))} ago. {plural(reporting, "host")}{" "}
        {reporting === 1 ? "reports" : "report"}, {plural(overview.liveOutbound, "connection")} to the outside{" "}
        {overview.liveOutbound === 1 ? "is" : "are"} open
        {overview.expectedFindings === 0 ? "" : `, ${plural(overview.expectedFindings, "finding")} expected by policy`}.
      </p>
      <p>
        <a href="#/outbound">Look at the outbound connections</a>
      </p>
    </Notice>
  )
}
