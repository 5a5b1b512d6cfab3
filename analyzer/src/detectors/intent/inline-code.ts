/**
 * Code of script interpreters in an argument: a socket, and a shell that is tied to it. That code opens a socket and runs a
 * program ties neither to the other: so does what waits for a port and then starts a server.
 */
import { anyPlace, placeOf, type Place } from "./place.js"
import { intentThresholds as limits } from "./thresholds.js"

/** What of a language ties a program to a connection. Gaps in patterns are short: each costs little at each place. */
interface Language {
  readonly interpreter: RegExp
  /** Opens a connection. */
  readonly socket: RegExp
  /** One of them makes the connection the input of what is run. */
  readonly ties: readonly RegExp[]
  /** Names (groups) that hold the connection or its descriptor, and uses (groups) that make one the input of what is run. */
  readonly holds?: RegExp
  readonly inputs?: RegExp
  /** Names (groups) that hold what came over a connection, and what (groups) is run. */
  readonly received?: RegExp
  readonly runs?: RegExp
}

const languages: readonly Language[] = [
  {
    interpreter: /^python/,
    socket: /\bsocket\b/,
    ties: [
      /\b(?:Popen|run|call|check_output|getoutput|popen|system|exec|eval)\s*\([^()]{0,80}\.\s*(?:recv|readline)\s*\(/,
    ],
    holds: /\b(\w{1,64})\s*=\s*[\w.]{0,40}(?:socket|create_connection|wrap_socket|fileno|makefile)\s*\(/g,
    // stdin=s, os.dup2(s.fileno(), 0) and over a list of descriptors; not onto 1 or 2 alone.
    inputs: /\bstdin\s*=\s*(\w+)|dup2\s*\(\s*(\w+)(?:\s*\.\s*fileno\s*\(\s*\))?\s*,\s*(?:0|[A-Za-z_]\w*)\s*\)/g,
    received: /\bfor\s+(\w+)\s+in\s+[^;:\n]{0,40}makefile|\b(\w{1,64})\s*=\s*[^;\n=]{0,80}\.\s*(?:recv|readline)\s*\(/g,
    runs: /\b(?:Popen|run|call|check_output|getoutput|popen|system|exec|eval)\s*\(([^;\n]{0,120})/g,
  },
  {
    interpreter: /^perl/,
    socket: /\bsocket\b|IO::Socket|PeerAddr/i,
    ties: [
      /\bopen\s*\(?\s*STDIN\s*,\s*["']?\s*[<>+]{0,3}&/i,
      /STDIN\s*->\s*fdopen/i,
      /\bdup2\s*\([^,;]{0,40},\s*0\s*\)/,
    ],
    // A bare <$s> reads into $_.
    received: /\$(\w+)\s*=\s*<\s*\$?\w+\s*>|\b(?:while|for|foreach)\s*\(?\s*<\s*\$(?=\w+\s*>)()/g,
    runs: /(?:\b(?:system|exec|qx)\b|`)([^;\n]{0,120})/g,
  },
  {
    interpreter: /^ruby/,
    socket: /TCPSocket|Socket\.tcp/,
    ties: [
      /<&\s*(?:\d|#\{)/,
      /(?:\$stdin|STDIN)\s*\.\s*reopen/i,
      /(?:\bin:|:in\s*=>|\[\s*:in\b[^\]]{0,40}\]\s*=>)\s*\w/,
      /(?:popen|system|exec|`)[^;\n]{0,40}\.\s*gets\b/,
    ],
    received: /\b(\w{1,64})\s*=\s*\w+\s*\.\s*(?:gets|recv|readline|readpartial)\b/g,
    runs: /(?:\b(?:popen|system|exec|spawn|capture2e?)\b|`)([^;\n]{0,120})/g,
  },
  {
    interpreter: /^php/,
    socket: /fsockopen|stream_socket_client|socket_connect/,
    ties: [
      /<&\s*\d/,
      /proc_open\s*\([^;]{0,120}\b0\s*=>\s*\$/,
      /(?:exec|system|passthru|popen|`)\s*\(?[^;]{0,40}(?:fgets|fread|socket_read)\s*\(/,
    ],
    received: /\$(\w+)\s*=\s*[^;=]{0,20}(?:fgets|fread|socket_read|stream_get_line)\s*\(/g,
    runs: /(?:\b(?:shell_exec|exec|system|passthru|popen|proc_open)\b|`)([^;]{0,120})/g,
  },
  {
    interpreter: /^(?:node|nodejs|bun|deno)$/,
    socket: /\bnet\b/,
    ties: [
      /\.\s*pipe\s*\(\s*[\w.]{1,40}\.\s*stdin\s*\)/,
      /\bon\s*\(\s*['"]data['"]\s*,\s*(?:async\s*)?(?:function\s*\w{0,20}\s*)?\(?\s*(\w{1,40})[^]{0,80}\b(?:exec|execSync|spawn|spawnSync|eval|write)\s*\([^;]{0,40}\b\1\b/,
    ],
    holds: /\b(\w{1,64})\s*=\s*(?:new\s+)?[\w.()'"]{0,40}\b(?:connect|createConnection|Socket)\s*\(/g,
    inputs: /\bstdio\s*:\s*\[\s*(\w+)/g,
  },
  {
    interpreter: /^lua/,
    socket: /\bsocket\b/,
    ties: [/popen\s*\([^)]{0,40}receive/],
    received: /\b(\w{1,64})\s*(?:,\s*\w{1,20}\s*){0,3}=\s*\w+\s*:\s*receive\s*\(/g,
    runs: /(?:popen|execute)\s*\(([^\n;]{0,80})/g,
  },
  {
    // A coprocess of gawk: service |& getline c, and then c |& getline, or system(c).
    interpreter: /^[gm]?awk$/,
    socket: /\/inet[46]?\/(?:tcp|udp)\//,
    ties: [],
    received: /\|&\s*getline\s+(\w+)/g,
    runs: /system\s*\(\s*(\w+)|[;{(]\s*\(?\s*(\w+)\s*\|&?\s*getline/g,
  },
]

/** Undefined where the code ties no program to a connection, and for other programs. */
export function codeJoin(program: string, text: string): { readonly place: Place } | undefined {
  const language = languages.find(({ interpreter }) => interpreter.test(program))
  const code = text.slice(0, limits.codeCharacters)
  if (language === undefined || !language.socket.test(code)) return undefined
  const { ties, holds, inputs, received, runs } = language
  const isTied = ties.some((tie) => tie.test(code)) || meets(code, holds, inputs) || meets(code, received, runs)
  return isTied ? { place: placeIn(code) } : undefined
}

/** Whether a name of the first kind stands in a text of the second. A group that matched nothing stands for $_ of perl. */
function meets(code: string, named: RegExp | undefined, used: RegExp | undefined): boolean {
  if (named === undefined || used === undefined) return false
  const names = new Set<string>()
  for (const [, ...groups] of code.matchAll(named))
    for (const name of groups as (string | undefined)[]) if (name !== undefined) names.add(name === "" ? "_" : name)
  if (names.size === 0) return false
  for (const [, ...groups] of code.matchAll(used))
    for (const text of groups as (string | undefined)[])
      for (const [word] of (text ?? "").matchAll(/\w+/g)) if (names.has(word)) return true
  return false
}

const addressAndPort =
  /(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?![\w.])(?:["'\\]{0,4}\s*[,:/]\s*["'\\]{0,4}(\d{1,5})\b(?!\.))?/g

/** The one address that stands in it, and the number behind it: ("203.0.113.9",4444), 203.0.113.9:4444. */
function placeIn(code: string): Place {
  const places = [...code.matchAll(addressAndPort)].map(([, host = "", port = ""]) => placeOf(host, port))
  const [first = anyPlace] = places
  return places.every(({ address }) => address === first.address) ? first : anyPlace
}
