/**
 * Text that a terminal shows and does not obey. argv, paths and names come from the watched processes: control
 * characters (C0, C1, DEL) and the marks that reorder or hide text (Unicode TR 36 2.1) appear as escapes.
 */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\p{Surrogate}]/gu,
    (character) => named[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u001b": "\\e", "\0": "\\0" }

/**
 * A command line that could be typed again: words with anything beyond plain characters are quoted. Empty words at the end
 * are what a program leaves that writes its state over its arguments; they are left out.
 */
export function commandLine(argv: readonly string[], longest = 400): string {
  const words = argv.slice(0, argv.findLastIndex((word) => word !== "") + 1)
  const line = words
    .map((word) => (/^[\w@%+=:,./~-]+$/.test(word) ? word : `'${printable(word).replaceAll("'", "'\\''")}'`))
    .join(" ")
  const characters = Array.from(line)
  return characters.length > longest
    ? `${characters.slice(0, longest).join("")}… (${characters.length - longest} more)`
    : line
}

/** "1.2 kB": decimal units, two significant digits below ten. */
export function byteCount(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"]
  let [value, unit] = [bytes, 0]
  while (value >= 1_000 && unit < units.length - 1) [value, unit] = [value / 1_000, unit + 1]
  return `${unit > 0 && value < 10 ? value.toFixed(1) : value.toFixed(0)} ${units[unit] ?? "B"}`
}

/** "2 h 5 min", "41 s": the two largest units. */
export function duration(us: number): string {
  const seconds = Math.max(0, Math.round(us / 1_000_000))
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  if (first === -1) return "0 s"
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ")
}

/** "[2001:db8::1]:443" or "203.0.113.9:443". */
export function endpoint({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(":") ? `[${printable(address)}]:${port}` : `${printable(address)}:${port}`
}
