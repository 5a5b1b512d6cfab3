import { moveInList } from "../parts/list-keys.js"

const places: Readonly<Record<string, string>> = { i: "#/", o: "#/outbound", h: "#/health" }

/** Where Escape leads when there is nothing on this page to go back to, such as after a link in an alert. */
function goUp(): void {
  const [above] = [...document.querySelectorAll<HTMLAnchorElement>(".path a")].slice(-1)
  location.hash = above?.hash ?? "#/"
}

/** Keys of the whole page. `onHelp` shows them; the function that takes them away again. */
export function listenForKeys(onHelp: () => void): () => void {
  let steps = 0
  let isBack = false
  const follow = () => {
    steps = Math.max(0, steps + (isBack ? -1 : 1))
    isBack = false
  }
  const goBack = () => {
    isBack = steps > 0
    if (isBack) history.back()
    else goUp()
  }
  const listen = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    if (document.querySelector("dialog[open]") !== null) return
    const place = places[event.key]
    if (place !== undefined) location.hash = place
    else if (event.key === "?") onHelp()
    else if (event.key === "Escape" && location.hash !== "" && location.hash !== "#/") goBack()
    else if (!moveInList(event, document)) return
    event.preventDefault()
  }
  addEventListener("keydown", listen)
  addEventListener("hashchange", follow)
  return () => {
    removeEventListener("keydown", listen)
    removeEventListener("hashchange", follow)
  }
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.matches("input:not([type=radio]), select, textarea") || target.isContentEditable)
  )
}
