import { refusals } from "./exception.js"

/** Statements that change nothing; the engine's own spelling, or a bracket before a SELECT. */
const allowedFirst = new Set(["SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "("])

/** Table functions that make rows out of nothing, or out of tables that can be read anyway. */
const harmlessTableFunctions = new Set([
  "numbers",
  "numbers_mt",
  "zeros",
  "zeros_mt",
  "primes",
  "generateseries",
  "generate_series",
  "values",
  "view",
  "null",
  "merge",
  "mergetreeindex",
  "generaterandom",
  // Also an ordinary function on text. The table function of that name is refused by the engine, whose readonly covers it.
  "format",
])

/** Ordinary functions that read files of the host, load models from it, or ask services elsewhere. */
const outsideFunctions = ["file", "catboostevaluate", "evalmlmethod", "hascolumnintable", "generateserialid"]
const outsideFamilies = /^(ai(generate|classify|embed|extract|translate)|zookeeper|reversedns|addressto)/

export type Forbidden = (name: string) => boolean

/** Which functions a reader may not call, of an engine that has these table functions. */
export function forbiddenFunctions(tableFunctions: readonly string[]): Forbidden {
  const names = new Set([
    ...outsideFunctions,
    ...tableFunctions.map((name) => name.toLowerCase()).filter((name) => !harmlessTableFunctions.has(name)),
  ])
  return (name) => names.has(name.toLowerCase()) || outsideFamilies.test(name.toLowerCase())
}

/** Strings and quoted names whole, words, and single characters. */
const tokens = /'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"|[A-Za-z_][A-Za-z0-9_]*|\s+|./gs

/**
 * Throws READONLY or ACCESS_DENIED unless the statement only reads tables. It must be in the engine's own form (that of
 * `formatQuerySingleLine`): one statement, no comments, no here-documents. The engine refuses most of this by itself
 * under readonly = 1; what it leaves open is `file()` as an ordinary function and INTO OUTFILE.
 */
export function requireReading(statement: string, isForbidden: Forbidden): void {
  const words = (statement.match(tokens) ?? []).filter((token) => token.trim() !== "")
  const first = words[0]?.toUpperCase() ?? ""
  if (!allowedFirst.has(first)) throw refusals.readonly(`Only queries are answered here, and this is ${first}.`)
  for (const [i, word] of words.entries()) {
    if (/^['"`]$/.test(word)) throw refusals.denied("A quote is not closed.")
    const following = words[i + 1]
    if (word.toUpperCase() === "INTO" && following?.toUpperCase() === "OUTFILE")
      throw refusals.denied("INTO OUTFILE would write a file on the host of the store.")
    const name = /^[`"]/.test(word) ? word.slice(1, -1) : word
    if (following === "(" && isForbidden(name))
      throw refusals.denied(`${name}() reaches beyond the tables of the store.`)
  }
}
