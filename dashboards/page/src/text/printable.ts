/**
 * Text of processes that nobody trusts, made harmless to look at: control characters become visible, and characters that
 * reorder or hide what stands around them (Unicode TR 36, bidirectional overrides and zero-width) show their number.
 */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f]|[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    escape,
  )
}

function escape(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`
  return `\\u${code.toString(16).padStart(4, "0")}`
}

/** Arguments as a person would type them: those with spaces or quotes stand in single quotes. */
export function commandLine(argv: readonly string[]): string {
  return argv.map((one) => (/^[\w@%+=:,./~*[\]-]+$/.test(one) ? one : `'${one.replaceAll("'", "'\\''")}'`)).join(" ")
}
