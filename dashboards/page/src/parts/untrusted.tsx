import { useState } from "preact/hooks"
import { printable } from "../text/printable.js"

const shownAtFirst = 240

/** The same where a button cannot stand, such as in a link: what is too long ends in an ellipsis. */
export function Cut({ text, limit }: { readonly text: string; readonly limit: number }) {
  const visible = printable(text)
  return <span class="untrusted">{visible.length <= limit ? visible : `${visible.slice(0, limit)}…`}</span>
}

/** Text that a process chose: made visible, cut when it is long, never anything but text. */
export function Untrusted({ text, limit = shownAtFirst }: { readonly text: string; readonly limit?: number }) {
  const [isWhole, setWhole] = useState(false)
  const visible = printable(text)
  if (visible.length <= limit || isWhole) return <span class="untrusted">{visible}</span>
  return (
    <span class="untrusted">
      {visible.slice(0, limit)}…{" "}
      <button type="button" class="inline" onClick={() => setWhole(true)}>
        show all {visible.length} characters
      </button>
    </span>
  )
}
