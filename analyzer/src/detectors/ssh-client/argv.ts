/** Reads the command line of an SSH client as the client itself does: a getopt walk, and what it asks for. */
import type { SshGrammar } from "./programs.js"

export interface RemoteForward {
  readonly kind: "remote-forward" | "tun"
  /** The words that ask for it, as given: "-R8080:localhost:80" or "-o RemoteForward=8080 localhost:80". */
  readonly text: string
  /** What is forwarded, however it was asked for: "8080:localhost:80". */
  readonly what: string
}

export interface SshArgv {
  readonly forwards: readonly RemoteForward[]
  /** The host as it was given, with user or scheme; empty where none stands before the cut of the line. */
  readonly destination: string
  /** -f */
  readonly background: boolean
  /** Forwardings of files and options count for nothing: ClearAllForwardings, or -W, which implies it. */
  readonly cleared: boolean
}

interface Option {
  readonly letter: string
  readonly argument: string
  /** The words of the command line that it stands in. */
  readonly text: string
}

/** Options that print and exit. */
const noConnection = new Set(["G", "Q", "V", "h"])

/** -O talks to a master that runs already; of its commands only "forward" adds a forwarding. */
function isInert({ letter, argument }: Option, grammar: string): boolean {
  if (!grammar.includes(letter)) return false
  return noConnection.has(letter) || (letter === "O" && argument !== "forward")
}

/** `argv` with the program itself first. A line that was cut off gives what stands before the cut. */
export function parseSshArgv(argv: readonly string[], grammar: SshGrammar): SshArgv {
  const { options, destination } = walk(argv, grammar.options)
  const cleared = isCleared(options, grammar.stdioForward)
  const inert = options.some((option) => isInert(option, grammar.options))
  return {
    forwards: cleared || inert ? [] : options.flatMap(forwardOf),
    destination,
    background: options.some(({ letter }) => letter === "f"),
    cleared: cleared || inert,
  }
}

function walk(argv: readonly string[], grammar: string): { options: readonly Option[]; destination: string } {
  const options: Option[] = []
  let destination: string | undefined
  let i = 1
  while (i < argv.length) {
    const word = argv[i] ?? ""
    if (word === "--" || word === "-" || !word.startsWith("-")) {
      const at = word === "--" ? i + 1 : i
      // The second word that is no option begins the command of the far side.
      if (destination !== undefined) break
      destination = argv[at] ?? ""
      i = at + 1
      continue
    }
    i += takeWord(word, argv[i + 1], grammar, options)
  }
  return { options, destination: destination ?? "" }
}

/** Reads one word of options, such as "-fNR8080:localhost:80"; gives how many words were used. */
function takeWord(word: string, next: string | undefined, grammar: string, options: Option[]): 1 | 2 {
  for (let j = 1; j < word.length; j++) {
    const letter = word.charAt(j)
    const at = letter === ":" ? -1 : grammar.indexOf(letter)
    if (at < 0 || grammar.charAt(at + 1) !== ":") {
      options.push({ letter, argument: "", text: `-${letter}` })
      continue
    }
    const glued = word.slice(j + 1)
    if (glued !== "") {
      options.push({ letter, argument: glued, text: word })
      return 1
    }
    if (next !== undefined) options.push({ letter, argument: next, text: `${word} ${next}` })
    return 2
  }
  return 1
}

function forwardOf({ letter, argument, text }: Option): readonly RemoteForward[] {
  if (letter === "R") return [{ kind: "remote-forward", text, what: argument }]
  if (letter === "w") return [{ kind: "tun", text, what: argument }]
  const directive = letter === "o" ? forwardDirective(argument) : undefined
  return directive === undefined ? [] : [{ ...directive, text }]
}

/** What a configuration line lets the far side do: "RemoteForward 8080 localhost:80", "tunnel=yes"; undefined for others. */
export function forwardDirective(line: string): Pick<RemoteForward, "kind" | "what"> | undefined {
  const { keyword, value } = splitDirective(line)
  // A file divides the two ends by a space, an option may do so by a colon.
  if (keyword === "remoteforward" && value !== "") return { kind: "remote-forward", what: value.replace(/\s+/, ":") }
  const joins = keyword === "tunnel" && ["yes", "point-to-point", "ethernet"].includes(value.toLowerCase())
  return joins ? { kind: "tun", what: value } : undefined
}

/** "Key value", "key=value" and "key = value" are one to ssh_config(5); keys have no case, values may be quoted. */
function splitDirective(line: string): { keyword: string; value: string } {
  const match = /^\s*"?([A-Za-z]+)"?\s*[\s=]\s*(.*)$/.exec(line)
  return { keyword: (match?.[1] ?? "").toLowerCase(), value: (match?.[2] ?? "").trim().replace(/^"(.*)"$/, "$1") }
}

/** The first value of an option wins, in ssh as here. */
function isCleared(options: readonly Option[], stdioForward: string | undefined): boolean {
  const clear = options
    .filter(({ letter }) => letter === "o")
    .map(({ argument }) => splitDirective(argument))
    .find(({ keyword }) => keyword === "clearallforwardings")
  if (clear !== undefined) return ["yes", "true"].includes(clear.value.toLowerCase())
  return options.some(({ letter }) => letter === stdioForward)
}
