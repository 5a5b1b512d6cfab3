/**
 * Matching with wildcards, in time that grows with pattern times text and not faster: arguments of processes are chosen by
 * whoever is watched.
 */

/** `*` is any run of characters, `?` is one. */
export function matchesText(pattern: string, text: string): boolean {
  const same = (p: string, t: string) => p === "?" || p === t
  return matches(Array.from(pattern), Array.from(text), "*", same)
}

/** As for text, but `*` and `?` stay within one part of a path; `**` as a whole part is any number of parts. */
export function matchesPath(pattern: string, path: string): boolean {
  return matches(pattern.split("/"), path.split("/"), "**", matchesText)
}

/** Greedy with one step back to the last star, which is enough: an earlier star never needs to take more. */
function matches(
  pattern: readonly string[],
  text: readonly string[],
  star: string,
  same: (pattern: string, text: string) => boolean,
): boolean {
  let p = 0
  let t = 0
  let starAt = -1
  let resumeAt = 0
  while (t < text.length) {
    const part = pattern[p]
    const here = text[t] ?? ""
    if (part === star) {
      starAt = p
      p += 1
      resumeAt = t
    } else if (part !== undefined && same(part, here)) {
      p += 1
      t += 1
    } else if (starAt >= 0) {
      p = starAt + 1
      resumeAt += 1
      t = resumeAt
    } else return false
  }
  while (pattern[p] === star) p += 1
  return p === pattern.length
}
