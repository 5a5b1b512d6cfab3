import { useLive, useNow } from "../live/hooks.js"
import { plural, secondsBetween, span } from "../text/amounts.js"
import { printable } from "../text/printable.js"
import type { Route } from "./route.js"

const places = [
  { href: "#/", label: "Incidents", views: ["incidents", "incident", "finding"] },
  { href: "#/outbound", label: "Outbound", views: ["outbound"] },
  { href: "#/health", label: "Health", views: ["health"] },
] as const

export function Header({ route }: { readonly route: Route }) {
  const { overview } = useLive()
  return (
    <header>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <span class="name">Backflow</span>
      <nav aria-label="Views">
        {places.map(({ href, label, views }) => (
          <a
            key={href}
            href={href}
            aria-current={(views as readonly string[]).includes(route.view) ? "page" : undefined}
          >
            {label}
            {label === "Incidents" && overview !== undefined && <span class="badge">{overview.openIncidents}</span>}
            {label === "Health" && overview !== undefined && overview.problems.length > 0 && (
              <span class="badge warn">{overview.problems.length}</span>
            )}
          </a>
        ))}
      </nav>
      <StreamState />
    </header>
  )
}

/** The address belongs to the views: the focus alone moves. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById("main")?.focus()
}

function StreamState() {
  const { stream, sinceMs, overview } = useLive()
  const now = useNow()
  if (stream === "live") {
    const hosts = overview?.hosts.filter(({ connected }) => connected).length ?? 0
    return (
      <span class="stream live" role="status">
        live · {plural(hosts, "host")}
      </span>
    )
  }
  const words = stream === "lost" ? `disconnected ${span((now - sinceMs) / 1_000)} ago, retrying` : "connecting"
  return (
    <span class={`stream ${stream}`} role="status">
      {words}
    </span>
  )
}

/** What must be seen from every view. */
export function Banner() {
  const { overview, stream } = useLive()
  const failing = overview?.problems.find(({ severity }) => severity === "error")
  if (stream === "lost" && overview !== undefined) {
    return (
      <p class="banner" role="alert">
        The analyzer does not answer; what you see was so {span(secondsBetween(overview.now, Date.now()))} ago.
      </p>
    )
  }
  if (failing === undefined) return null
  return (
    <p class="banner" role="alert">
      {printable(failing.text)} <a href="#/health">{printable(failing.remedy)}</a>
    </p>
  )
}
