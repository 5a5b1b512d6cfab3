/**
 * The words of a shell as its statements: pipelines of commands with their words and redirections. As much of the grammar as
 * tells what is joined to what (POSIX 2.10, bash(1)); each character is read once, and nothing is expanded.
 */
import { intentThresholds as limits } from "./thresholds.js"

export interface Redirection {
  /** "0", or "$name" for {name}. */
  readonly fd: string
  readonly operator: string
  /** What stands behind it: a path, or "3", "-", "$name" after "&". */
  readonly target: string
}

export interface Command {
  /** Without quotes; what would be expanded stands as it was written. */
  readonly words: readonly string[]
  readonly redirections: readonly Redirection[]
  /** Of a loop, a condition, a group or a subshell: what stands in it. */
  readonly body: Script | undefined
  /** Command and process substitutions in its words. */
  readonly inner: readonly Script[]
}

export type Pipeline = readonly Command[]
export type Script = readonly Pipeline[]

const closers: Readonly<Record<string, string>> = {
  while: "done",
  until: "done",
  for: "done",
  select: "done",
  if: "fi",
  case: "esac",
  "{": "}",
}
const noise = new Set(["do", "then", "else", "elif", "!", "time"])
const closing = new Set(Object.values(closers))
const isBlank = (c: string) => c === " " || c === "\t" || c === "\r"
const endsWord = /[ \t\r\n;|&()<>]/

export function parseShell(text: string): Script {
  return new Parser(text).list("")
}

class Parser {
  readonly #text: string
  #at = 0
  #depth = 0
  /** Delimiters of here-documents whose text begins at the next line. */
  #heredocs: string[] = []

  constructor(text: string) {
    this.#text = text
  }

  /** Statements up to `closer`, which is taken; up to the end where it does not come. */
  list(closer: string): Script {
    const script: Pipeline[] = []
    if (++this.#depth > limits.shellDepth) this.#at = this.#text.length
    let pipeline: Command[] = []
    const end = () => {
      if (pipeline.length > 0) script.push(pipeline)
      pipeline = []
    }
    while (this.#at < this.#text.length) {
      this.#blanks()
      const c = this.#peek()
      if (c === "") break
      if (c === "\n") {
        this.#at += 1
        this.#skipHeredocs()
        end()
      } else if (c === "|" && this.#peek(1) !== "|") {
        this.#at += this.#peek(1) === "&" ? 2 : 1
      } else if (";|".includes(c) || (c === "&" && this.#peek(1) !== ">")) {
        this.#at += 1
        // "&&" and "||" are two.
        if (this.#peek() === c) this.#at += 1
        end()
      } else if (c === ")") {
        this.#at += 1
        end()
        // In a case it stands behind a pattern.
        if (closer === ")") break
      } else {
        const command = this.#command(closer)
        if (command === undefined) break
        pipeline.push(command)
      }
    }
    end()
    this.#depth -= 1
    return script
  }

  /** Undefined for the word that closes the list. */
  #command(closer: string): Command | undefined {
    const words: string[] = []
    const redirections: Redirection[] = []
    const inner: Script[] = []
    let body: Script | undefined
    for (;;) {
      this.#blanks()
      const c = this.#peek()
      if (c === "" || "\n;|)".includes(c) || (c === "&" && this.#peek(1) !== ">")) break
      if (c === "(") {
        this.#at += 1
        const found = this.list(")")
        if (words.length === 0) body = found
        // A function: its body is read as if it ran here. Anything else is an array, which runs nothing.
        else if (words.length === 1 && found.length === 0) words.length = 0
        continue
      }
      const isProcess = (c === "<" || c === ">") && this.#peek(1) === "("
      const redirection = isProcess ? undefined : this.#redirection("", inner)
      if (redirection !== undefined) {
        redirections.push(redirection)
        continue
      }
      const from = this.#at
      const word = this.#word(inner)
      const next = this.#peek()
      const isBare = this.#at - from === word.length
      const fd = isBare && (next === "<" || next === ">") ? /^(\d{1,9})$|^\{(\w+)\}$/.exec(word) : null
      const numbered = fd === null ? undefined : this.#redirection(fd[1] ?? `$${fd[2] ?? ""}`, inner)
      if (numbered !== undefined) {
        redirections.push(numbered)
        continue
      }
      if (words.length > 0 || !isBare || body !== undefined) {
        words.push(word)
        continue
      }
      if (word === closer && closing.has(word)) return undefined
      if (noise.has(word)) continue
      const ends = closers[word]
      if (ends === undefined) words.push(word)
      else body = this.list(ends)
    }
    return { words, redirections, body, inner }
  }

  #redirection(fd: string, inner: Script[]): Redirection | undefined {
    const operator = /^(&>>|&>|<<<|<<-|<<|<>|<&|>&|>>|>\||<|>)/.exec(this.#text.slice(this.#at, this.#at + 3))?.[0]
    if (operator === undefined) return undefined
    this.#at += operator.length
    this.#blanks()
    const target = this.#word(inner)
    if (operator === "<<" || operator === "<<-") this.#heredocs.push(target)
    const standard = operator.startsWith("<") ? "0" : "1"
    return { fd: fd === "" ? standard : fd, operator, target }
  }

  #word(inner: Script[]): string {
    const parts: string[] = []
    while (this.#at < this.#text.length) {
      const c = this.#peek()
      if (c === "'") parts.push(this.#quoted())
      else if (c === '"') parts.push(this.#doubleQuoted(inner))
      else if (c === "\\") {
        if (this.#peek(1) !== "\n") parts.push(this.#peek(1))
        this.#at += 2
      } else if (c === "$" || c === "`" || ((c === "<" || c === ">") && this.#peek(1) === "(" && parts.length === 0)) {
        parts.push(this.#expansion(inner))
      } else if (endsWord.test(c)) break
      else {
        parts.push(c)
        this.#at += 1
      }
    }
    return parts.join("")
  }

  #quoted(): string {
    const end = this.#text.indexOf("'", this.#at + 1)
    const to = end < 0 ? this.#text.length : end
    const text = this.#text.slice(this.#at + 1, to)
    this.#at = to + 1
    return text
  }

  #doubleQuoted(inner: Script[]): string {
    const parts: string[] = []
    this.#at += 1
    while (this.#at < this.#text.length) {
      const c = this.#peek()
      if (c === '"') break
      if (c === "$" || c === "`") {
        parts.push(this.#expansion(inner))
        continue
      }
      const isEscape = c === "\\" && '$`"\\'.includes(this.#peek(1))
      parts.push(isEscape ? this.#peek(1) : c)
      this.#at += isEscape ? 2 : 1
    }
    this.#at += 1
    return parts.join("")
  }

  /** "$name", "${...}", "$(...)", "`...`", "<(...)": as written but for what runs in it, which goes to `inner`. */
  #expansion(inner: Script[]): string {
    const from = this.#at
    const c = this.#peek()
    this.#at += 1
    if (c === "`") {
      const end = this.#text.indexOf("`", this.#at)
      const to = end < 0 ? this.#text.length : end
      if (this.#depth < limits.shellDepth) inner.push(parseShell(this.#text.slice(this.#at, to)))
      this.#at = to + 1
      return "`"
    }
    if (this.#peek() === "(") {
      this.#at += 1
      inner.push(this.list(")"))
      return `${c}()`
    }
    // $'...' is a quoted text with escapes.
    if (c === "$" && this.#peek() === "'") return this.#quoted()
    if (c === "$" && this.#peek() === "{") {
      const end = this.#text.indexOf("}", this.#at)
      this.#at = end < 0 ? this.#text.length : end + 1
    }
    return this.#text.slice(from, this.#at)
  }

  #skipHeredocs(): void {
    for (const delimiter of this.#heredocs) {
      while (this.#at < this.#text.length) {
        const end = this.#text.indexOf("\n", this.#at)
        const to = end < 0 ? this.#text.length : end
        const line = this.#text.slice(this.#at, to).trim()
        this.#at = to + 1
        if (line === delimiter) break
      }
    }
    this.#heredocs = []
  }

  #blanks(): void {
    for (;;) {
      const c = this.#peek()
      if (c === "\\" && this.#peek(1) === "\n") this.#at += 2
      else if (isBlank(c)) this.#at += 1
      else if (c === "#" && (this.#at === 0 || /[\s;&|(]/.test(this.#text.charAt(this.#at - 1)))) {
        const end = this.#text.indexOf("\n", this.#at)
        this.#at = end < 0 ? this.#text.length : end
      } else return
    }
  }

  #peek(ahead = 0): string {
    return this.#text.charAt(this.#at + ahead)
  }
}
