/** Further apart than this, a name is no spelling of another. */
const farthest = 3

/** Number of single-character insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = cell(rows, i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min(cell(rows, i - 1, j) + 1, (row[j - 1] ?? 0) + 1, replaced)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, cell(rows, i - 2, j - 2) + 1)
      row.push(best)
    }
    rows.push(row)
  }
  return cell(rows, a.length, b.length)
}

function cell(rows: readonly (readonly number[])[], i: number, j: number): number {
  return rows[i]?.[j] ?? 0
}

/** The known name that `name` was most likely meant to be; undefined when none is close. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const folded = (text: string) => text.toLowerCase().replaceAll("-", "_")
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(folded(name), folded(candidate)) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  if (best === undefined) return undefined
  return best.distance <= Math.min(farthest, Math.ceil(best.candidate.length / 2)) ? best.candidate : undefined
}
