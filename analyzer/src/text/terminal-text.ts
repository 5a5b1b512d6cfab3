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
export function commandLine(argv: readonly string[], maxCharacters = 400): string {
  const words = argv.slice(0, argv.findLastIndex((word) => word !== "") + 1)
  const text = words
    .map((word) => (/^[\w@%+=:,./~-]+$/.test(word) ? word : `'${printable(word).replaceAll("'", "'\\''")}'`))
    .join(" ")
  const characters = Array.from(text)
  return characters.length > maxCharacters
    ? `${characters.slice(0, maxCharacters).join("")}… (${characters.length - maxCharacters} more)`
    : text
}
