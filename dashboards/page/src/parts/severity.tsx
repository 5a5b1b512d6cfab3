import type { Severity } from "../../contract.js"

/** A shape and a word: colour alone tells nobody anything who does not see it. */
const shapes: Readonly<Record<Severity, string>> = {
  critical: "M6 .5 11.5 6 6 11.5.5 6Z",
  high: "M6 1 11.5 11H.5Z",
  medium: "M1 1h10v10H1Z",
  low: "M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1Z",
  info: "M1 5h10v2H1Z",
}

export function SeverityMark({ severity }: { readonly severity: Severity }) {
  return (
    <span class={`severity ${severity}`}>
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        <path d={shapes[severity]} fill="currentColor" />
      </svg>
      {severity}
    </span>
  )
}
