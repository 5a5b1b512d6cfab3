/** The value of a variable: one, or several of a list, or "$__all". A text box may be empty. */
export type Values = Readonly<Record<string, string | readonly string[]>>

export const allValue = "$__all"

/**
 * What Grafana and the plugin's front end do before a statement leaves the browser: conditions on variables that stand at
 * "All" or are empty become 1=1, and `${name:singlequote}` becomes a list of quoted texts. Throws on a variable without a value.
 */
export function interpolate(sql: string, values: Values): string {
  return conditions(sql, values).replaceAll(
    /\$\{(\w+)(?::(\w+))?\}/g,
    (whole, name: string, format: string | undefined) => {
      const value = values[name]
      if (value === undefined) throw new RangeError(`no variable for ${whole}`)
      const list = typeof value === "string" ? [value] : value
      if (format === undefined) return list.join(",")
      if (format !== "singlequote") throw new RangeError(`no format ${whole}`)
      return list.map((text) => `'${text.replaceAll("'", "\\'")}'`).join(",")
    },
  )
}

const macro = "$__conditionalAll("

function conditions(sql: string, values: Values): string {
  const start = sql.lastIndexOf(macro)
  if (start < 0) return sql
  const { parts, end } = partsOf(sql, start + macro.length)
  const [condition, variable] = parts
  const name = /^\s*\$(\w+)$/.exec(variable ?? "")?.[1]
  if (condition === undefined || name === undefined || parts.length !== 2) {
    throw new RangeError(`$__conditionalAll takes a condition and a bare variable: ${sql.slice(start, end)}`)
  }
  const value = String(values[name])
  const phrase = value === "" || value === allValue ? "1=1" : condition
  return conditions(sql.slice(0, start) + phrase + sql.slice(end), values)
}

/** Splits at the commas of the outermost level; `end` is behind the closing bracket. */
function partsOf(sql: string, from: number): { parts: string[]; end: number } {
  const parts: string[] = []
  let depth = 1
  let begin = from
  for (let i = from; i < sql.length; i += 1) {
    const char = sql[i]
    if (char === "(") depth += 1
    if (char === ")") depth -= 1
    if ((char === "," && depth === 1) || depth === 0) {
      parts.push(sql.slice(begin, i))
      begin = i + 1
    }
    if (depth === 0) return { parts, end: i + 1 }
  }
  throw new RangeError(`a bracket is missing in ${sql}`)
}
