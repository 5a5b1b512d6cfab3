import { useEffect, useRef } from "preact/hooks"

const keys = [
  ["j, k or arrows", "next and previous in a list"],
  ["Enter", "open it"],
  ["Escape", "back to where you came from"],
  ["i, o, h", "incidents, outbound connections, health"],
  ["?", "these keys"],
] as const

/** The keys, in a dialog that Escape closes. */
export function Keys({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl>
        {keys.map(([key, words]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  )
}
