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
  /** What is used from here: -L, -D and -W with their arguments, and the same as options. */
  readonly localForwards: readonly string[]
  /** What the far side is to run; of a subsystem (-s) its name. */
  readonly command: readonly string[]
  /** Of -o, as "key value" with the key in lower case, in the order of the line. */
  readonly settings: readonly Setting[]
  /** Argument of -S: where a master listens for clients that share its connection. */
  readonly controlPath: string | undefined
  /** Letters of the options. */
  readonly letters: ReadonlySet<string>
  /** The host as it was given, with user or scheme; empty where none stands before the cut of the line. */
  readonly destination: string
  /** -f */
  readonly background: boolean
  /** Forwardings of files and options count for nothing: ClearAllForwardings, or -W, which implies it. */
  readonly cleared: boolean
}

export interface Setting {
  readonly keyword: string
  readonly value: string
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
  const { options, destination, command } = walk(argv, grammar.options)
  const settings = options.filter(({ letter }) => letter === "o").map(({ argument }) => settingOf(argument))
  const letters = new Set(options.map(({ letter }) => letter))
  const cleared = isCleared(settings, letters, grammar.stdioForward)
  const inert = options.some((option) => isInert(option, grammar.options))
  return {
    forwards: cleared || inert ? [] : options.flatMap(forwardOf),
    localForwards: options.flatMap((option) => localForwardOf(option, grammar.stdioForward)),
    command,
    settings,
    controlPath: options.find(({ letter }) => letter === "S")?.argument,
    letters,
    destination,
    background: letters.has("f"),
    cleared: cleared || inert,
  }
}

interface Walk {
  readonly options: readonly Option[]
  readonly destination: string
  readonly command: readonly string[]
}

function walk(argv: readonly string[], grammar: string): Walk {
  const options: Option[] = []
  let destination: string | undefined
  let command: readonly string[] = []
  let i = 1
  while (i < argv.length) {
    const word = argv[i] ?? ""
    if (word === "--" || word === "-" || !word.startsWith("-")) {
      const at = word === "--" ? i + 1 : i
      // The second word that is no option begins the command of the far side.
      if (destination !== undefined) {
        command = argv.slice(at)
        break
      }
      destination = argv[at] ?? ""
      i = at + 1
      continue
    }
    i += takeWord(word, argv[i + 1], grammar, options)
  }
  return { options, destination: destination ?? "", command }
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

function localForwardOf({ letter, argument }: Option, stdioForward: string | undefined): readonly string[] {
  if (letter === "L" || letter === "D" || letter === stdioForward) return [argument]
  const setting = letter === "o" ? settingOf(argument) : undefined
  return setting !== undefined && isLocalForward(setting) ? [setting.value] : []
}

/** Whether a directive opens a way that is used from here. */
export function isLocalForward({ keyword, value }: Setting): boolean {
  return (keyword === "localforward" || keyword === "dynamicforward") && value !== ""
}

/** What a configuration line lets the far side do: "RemoteForward 8080 localhost:80", "tunnel=yes"; undefined for others. */
export function forwardDirective(line: string): Pick<RemoteForward, "kind" | "what"> | undefined {
  const { keyword, value } = settingOf(line)
  // A file divides the two ends by a space, an option may do so by a colon.
  if (keyword === "remoteforward" && value !== "") return { kind: "remote-forward", what: value.replace(/\s+/, ":") }
  const joins = keyword === "tunnel" && ["yes", "point-to-point", "ethernet"].includes(value.toLowerCase())
  return joins ? { kind: "tun", what: value } : undefined
}

/** "Key value", "key=value" and "key = value" are one to ssh_config(5); keys have no case, values may be quoted. */
export function settingOf(line: string): Setting {
  const match = /^\s*"?([A-Za-z0-9]+)"?\s*[\s=]\s*(.*)$/.exec(line)
  return { keyword: (match?.[1] ?? "").toLowerCase(), value: (match?.[2] ?? "").trim().replace(/^"(.*)"$/, "$1") }
}

/** The first value of an option wins, in ssh as here. */
export function firstValue(settings: readonly Setting[], keyword: string): string | undefined {
  return settings.find((setting) => setting.keyword === keyword)?.value
}

export function isYes(value: string | undefined): boolean {
  return value !== undefined && /^(yes|true)$/i.test(value)
}

function isCleared(
  settings: readonly Setting[],
  letters: ReadonlySet<string>,
  stdioForward: string | undefined,
): boolean {
  const clear = firstValue(settings, "clearallforwardings")
  return clear === undefined ? stdioForward !== undefined && letters.has(stdioForward) : isYes(clear)
}
