import type { Problem } from "@backflow/page/contract"
import { bootKey } from "../../domain/keys.js"
import type { Unfollowed } from "../../domain/unfollowed.js"
import type { View } from "../../domain/view.js"
import type { AnalyzerStatus } from "../../telemetry/status.js"
import { bytesText } from "../../text/amounts.js"
import { processText } from "../../text/program-name.js"

/** Uses that one problem names; the busiest. */
const maxNamed = 5

/** What connected hosts send and receive that is not followed: one problem for each host. */
export function unfollowedProblems({ sessions, hosts }: Pick<AnalyzerStatus, "sessions" | "hosts">): Problem[] {
  return sessions.flatMap((session): Problem[] => {
    const { connected, counts, host } = session
    if (!connected || counts.unfollowed.length === 0) return []
    const view = hosts.find((state) => bootKey(state.view.host) === bootKey(session))?.view
    const busiest = [...counts.unfollowed].sort((a, b) => b.bytes - a.bytes)
    const named = busiest.slice(0, maxNamed).map((use) => useText(use, view))
    const rest = busiest.length - named.length
    return [
      {
        severity: "warning",
        text: `On ${host} is what Backflow does not follow: ${named.join(", ")}${rest > 0 ? `, and ${rest} more` : ""}.`,
        remedy: "Look whether it is meant to be there: nothing that it carries is judged.",
      },
    ]
  })
}

function useText({ what, process, bytes }: Unfollowed, view: View | undefined): string {
  if (process === undefined) return what
  return `${what} of ${processText(view?.process(process))}, ${bytesText(bytes)}`
}
