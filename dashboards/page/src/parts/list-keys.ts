/** j and k, or the arrows, move between the rows of the list that has the focus, or enter the first list of the page. */
export function moveInList(event: KeyboardEvent, root: ParentNode): boolean {
  const step =
    event.key === "j" || event.key === "ArrowDown" ? 1 : event.key === "k" || event.key === "ArrowUp" ? -1 : 0
  if (step === 0) return false
  const active = document.activeElement
  const isArrow = event.key.startsWith("Arrow")
  // Arrows scroll the page, unless a row has the focus.
  if (isArrow && active?.closest("[data-rows]") === null) return false
  const list = active?.closest("[data-rows]") ?? root.querySelector("[data-rows]")
  const rows = [...(list?.querySelectorAll<HTMLElement>("[data-row]") ?? [])]
  if (rows.length === 0) return false
  const current = rows.findIndex((row) => row === active || row.contains(active))
  rows[Math.min(rows.length - 1, Math.max(0, current === -1 ? 0 : current + step))]?.focus()
  return true
}
