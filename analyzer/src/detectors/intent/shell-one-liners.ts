/** Shells that stand in the arguments of a program: what to run, and to where it is joined. */
import type { ProcessFacts } from "../../domain/identity.js"
import { programName } from "../../text/program-name.js"
import { codeJoin } from "./inline-code.js"
import { placeOfPair } from "./place.js"
import { isNetcat, isShellName, netPlace, shellCode, shellNames } from "./shell-commands.js"
import { shellJoin } from "./shell-joins.js"
import type { ToolMatch } from "./tunnel-tools.js"

const shell = new RegExp(`(^|[/\\s"'\`])${shellNames}\\b`)

const codeOptions = new Set(["-c", "-e", "-r", "-E", "-pe", "-ne", "--eval", "-p", "--print"])

export function shellOneLiner({ exe, argv }: Pick<ProcessFacts, "exe" | "argv">): ToolMatch | undefined {
  const own = programName(exe) || programName(argv[0] ?? "")
  // One file that is many programs is called by their names, or is given them.
  const isBox = /^(busybox|toybox)/.test(own)
  const called = programName(argv[0] ?? "")
  const isGiven = isBox && called === own
  const name = isGiven ? (argv[1] ?? "") : isBox ? called : own
  const words = argv.slice(isGiven ? 2 : 1)
  return socatShell(name, words) ?? netcatShell(name, words) ?? scriptOf(name, words)
}

function socatShell(name: string, words: readonly string[]): ToolMatch | undefined {
  if (!/^socat\d?$/.test(name)) return undefined
  const dialled = words.find((word) =>
    /^(tcp[46]?|tcp[46]?-connect|openssl|openssl-connect|ssl|udp[46]?(-connect)?):/i.test(word),
  )
  const run = words.find((word) => /^(exec|system|shell):/i.test(word))
  if (dialled === undefined || run === undefined) return undefined
  return { tool: "socat", text: `${dialled} ${run}`, place: placeOfPair(dialled) }
}

/** -c runs a command in some netcats and asks for TLS in another, so that it counts only with a shell behind it. */
function netcatShell(name: string, words: readonly string[]): ToolMatch | undefined {
  const place = isNetcat(name) ? netPlace(name, [name, ...words]) : undefined
  if (place === undefined) return undefined
  for (const [i, word] of words.entries()) {
    const next = words[i + 1] ?? ""
    if (/^--(exec|sh-exec|lua-exec)=./.test(word)) return { tool: name, text: word, place }
    if (next === "") continue
    if (/^(-[a-z]*e|--exec|--sh-exec|--lua-exec)$/.test(word)) return { tool: name, text: `${word} ${next}`, place }
    if (/^-[a-z]*c$/.test(word) && shell.test(next)) return { tool: name, text: `${word} ${next}`, place }
  }
  return undefined
}

function scriptOf(name: string, words: readonly string[]): ToolMatch | undefined {
  if (isShellName(name)) {
    const code = shellCode(words)
    const join = code === undefined ? undefined : shellJoin(code)
    return join && { tool: name, text: `-c ${code ?? ""}`, ...join }
  }
  for (const [i, word] of words.entries()) {
    const isAwk = /awk$/.test(name)
    // A script of its own: what follows are its arguments.
    if (!word.startsWith("-") && !isAwk) return undefined
    const code = isAwk ? word : codeOptions.has(word) ? words[i + 1] : undefined
    const join = code === undefined ? undefined : codeJoin(name, code)
    if (join) return { tool: name, text: isAwk ? word : `${word} ${code ?? ""}`, ...join }
  }
  return undefined
}
