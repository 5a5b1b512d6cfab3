/** What a command of a script is: a program that runs commands, one that talks to the outside, or anything else. */
import { programName } from "../../text/program-name.js"
import { anyPlace, placeOf, placeOfPair, type Place } from "./place.js"

/** Names of shells, for patterns that look for one among other words. */
export const shellNames = "(?:ba|da|z|k|mk|a|c|tc|fi|ya)?sh"
const shells = new RegExp(`^${shellNames}$`)
/** Run code that they read when they are given no file. */
const interpreters = /^(python[\d.]*|perl|ruby|php|node|lua[\d.]*|tclsh|irb)$/
/** Start what stands behind them. */
const wrappers = new Set(
  "exec command builtin nohup setsid env sudo doas nice ionice stdbuf timeout busybox toybox unbuffer coproc chroot".split(
    " ",
  ),
)

export function isShellName(name: string): boolean {
  return shells.test(name)
}

/** The words without what starts them: `exec`, `env A=1`, `timeout 5`, assignments. */
export function commandOf(words: readonly string[]): readonly string[] {
  let i = 0
  let isWrapped = false
  for (; i < words.length; i++) {
    const word = words[i] ?? ""
    const isAssignment = /^\w+=/.test(word)
    if (wrappers.has(programName(word))) isWrapped = true
    else if (!isAssignment && !(isWrapped && /^(-|\d)/.test(word))) break
  }
  return words.slice(i)
}

/** Code that a shell or `eval` is given as an argument. */
export function runsCode(program: string, words: readonly string[]): string | undefined {
  if (program === "eval") return words.slice(1).join(" ")
  return isShellName(program) ? shellCode(words.slice(1)) : undefined
}

/** The code of `sh -c`, as the shell finds it: options first, of which -o and -O take a word (bash(1), dash(1)). */
export function shellCode(words: readonly string[]): string | undefined {
  let isCode = false
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ""
    if (word === "--rcfile" || word === "--init-file") i += 1
    else if (word.startsWith("--")) continue
    else if (/^[-+]./.test(word)) {
      isCode ||= /^-[a-zA-Z]*c/.test(word)
      if (/^[-+][a-zA-Z]*[oO]$/.test(word)) i += 1
    } else return isCode ? word : undefined
  }
  return undefined
}

/** It runs what it reads: a shell or an interpreter without a file, or one whose code opens a shell. */
export function runsCommands(program: string, words: readonly string[]): boolean {
  const rest = words.slice(1)
  if (program === "script") return true
  if (isShellName(program)) return rest.every((word) => /^[-+]/.test(word)) || rest.includes("-s")
  if (!interpreters.test(program)) return false
  return rest.every((word) => word.startsWith("-")) || rest.some((word) => /pty\.spawn|exec.*sh\b/.test(word))
}

const netcats = /^(nc|ncat|netcat|nc\.(traditional|openbsd))$/

export function isNetcat(name: string): boolean {
  return netcats.test(name)
}

/** Options of netcats that take a word (nc(1) of OpenBSD, traditional and Nmap). */
const netcatValues =
  /^-[a-zA-Z]*[wqpsiXxmGIOPTVM]$|^--(wait|source|source-port|proxy|proxy-type|proxy-auth|idle-timeout)$/

/** Where a program that joins its input and output to a connection dials; undefined for any other. */
export function netPlace(program: string, words: readonly string[]): Place | undefined {
  if (netcats.test(program) && words.some((word) => /^(-[a-zA-Z]*l[a-zA-Z]*|--listen)$/.test(word))) return undefined
  if (netcats.test(program) || program === "telnet") {
    const operands = words
      .slice(1)
      .filter((word, i, all) => !word.startsWith("-") && !netcatValues.test(all[i - 1] ?? ""))
    return placeOf(operands[0] ?? "", operands[1] ?? (program === "telnet" ? "23" : ""))
  }
  if (program === "openssl" && words[1] === "s_client") {
    const at = words.findIndex((word) => /^--?connect$/.test(word))
    const [host = "", port = ""] = at < 0 ? words.slice(-1) : [words[at + 1]]
    return port === "" ? placeOfPair(host) : anyPlace
  }
  if (/^socat\d?$/.test(program)) {
    const dialled = words.find((word) => /^(tcp|openssl|ssl|udp)[46]?(-connect)?:/i.test(word))
    return dialled === undefined ? undefined : placeOfPair(dialled)
  }
  return undefined
}

/** Variables that `read` fills, and from which descriptor. */
export function readVariables(
  program: string,
  words: readonly string[],
): { readonly names: readonly string[]; readonly fd: string | undefined } | undefined {
  if (!/^(read|mapfile|readarray)$/.test(program)) return undefined
  const at = words.findIndex((word) => /^-[a-zA-Z]*u$/.test(word))
  const names = words.slice(1).filter((word) => /^[A-Za-z_]\w*$/.test(word))
  return { names: names.length > 0 ? names : ["REPLY"], fd: at < 0 ? undefined : words[at + 1] }
}
