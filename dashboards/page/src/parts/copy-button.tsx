import { useState } from "preact/hooks"

/** Puts text on the clipboard; where the browser does not allow it, says so. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [said, setSaid] = useState("")
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setSaid("copied"),
      () => setSaid("select it and copy: the browser does not allow it from here"),
    )
  }
  return (
    <>
      <button type="button" onClick={copy}>
        {label}
      </button>
      <span role="status" class="quiet">
        {said === "" ? "" : ` ${said}`}
      </span>
    </>
  )
}
