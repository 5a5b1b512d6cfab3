import { useNow } from "../live/hooks.js"
import { clock, secondsBetween, span } from "../text/amounts.js"

/** "12 min 5 s ago", with the moment itself behind it. */
export function Ago({ at }: { readonly at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={clock(at, now)}>
      {span(secondsBetween(at, now))} ago
    </time>
  )
}

export function Moment({ at }: { readonly at: string }) {
  return <time dateTime={at}>{clock(at, useNow())}</time>
}
