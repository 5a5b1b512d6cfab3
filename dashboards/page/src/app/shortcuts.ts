import { moveInList } from "../parts/list-keys.js"

const places: Readonly<Record<string, string>> = { i: "#/", o: "#/outbound", h: "#/health" }

/** Keys of the whole page. `onHelp` shows them; the function that takes them away again. */
export function listenForKeys(onHelp: () => void): () => void {
  const listen = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    if (document.querySelector("dialog[open]") !== null) return
    const place = places[event.key]
    if (place !== undefined) location.hash = place
    else if (event.key === "?") onHelp()
    else if (event.key === "Escape" && location.hash !== "" && location.hash !== "#/") history.back()
    else if (!moveInList(event, document)) return
    event.preventDefault()
  }
  addEventListener("keydown", listen)
  return () => removeEventListener("keydown", listen)
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.matches("input:not([type=radio]), select, textarea") || target.isContentEditable)
  )
}
