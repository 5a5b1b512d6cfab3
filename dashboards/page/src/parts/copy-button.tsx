import { useState } from "preact/hooks"

/** Puts text on the clipboard; where the browser does not allow it, it says so. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [status, setStatus] = useState("")
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setStatus("copied"),
      () => setStatus("select it and copy: the browser does not allow it from here"),
    )
  }
  return (
    <>
      <button type="button" onClick={copy}>
        {label}
      </button>
      <span role="status" class="quiet">
        {status === "" ? "" : ` ${status}`}
      </span>
    </>
  )
}
