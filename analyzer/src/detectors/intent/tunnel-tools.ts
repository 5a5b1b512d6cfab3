/** Tunnel tools by the shape of their arguments, so that a renamed copy is still known where the shape is its own. */
import type { ProcessFacts } from "../../domain/identity.js"
import { programName } from "../../text/program-name.js"
import type { Place } from "./place.js"

export interface ToolMatch {
  readonly tool: string
  /** The words that ask for the tunnel. */
  readonly text: string
  /** Where they say that it leads; undefined where they say nothing of it. */
  readonly place?: Place
  /** Programs that hold the connection, where it is not the program itself. */
  readonly carriers?: readonly string[]
}

interface Line {
  readonly name: string
  /** Without the program itself. */
  readonly words: readonly string[]
}

interface Tool {
  readonly tool: string
  /** The words that ask for the tunnel, or undefined. */
  readonly match: (line: Line) => string | undefined
}

const tools: readonly Tool[] = [
  {
    // github.com/jpillora/chisel: client [options] SERVER REMOTE..., a remote with R: listens at the server.
    tool: "chisel",
    match: ({ words }) => {
      const remote = words.findIndex((word) => /^R:(socks$|.*\d)/.test(word))
      const hasServer = words.slice(1, Math.max(remote, 1)).some((word) => !word.startsWith("-"))
      return words[0] === "client" && hasServer ? words[remote] : undefined
    },
  },
  {
    // github.com/fatedier/frp: frpc -c frpc.toml, or frpc tcp|http|... --server-addr.
    tool: "frpc",
    match: ({ name, words }) =>
      valueOf(words, ["-c", "--config"], /(^|\/)frpc[^/]*\.(toml|ini|ya?ml|json)$/) ??
      (name === "frpc" && !words.some((word) => /^(-h|--help|-v|--version|verify)$/.test(word)) ? "frpc" : undefined),
  },
  {
    // github.com/rapiz1/rathole: rathole [--client] CONFIG; with --server it is the other end.
    tool: "rathole",
    match: ({ name, words }) =>
      name === "rathole" &&
      words.length > 0 &&
      !words.some((word) => /^(-s|--server|-h|--help|-V|--version)$/.test(word))
        ? words.join(" ")
        : undefined,
  },
  {
    // github.com/ekzhang/bore: local [options] PORT, where --to HOST is needed and nothing else stands.
    tool: "bore",
    match: ({ words }) => (words[0] === "local" ? boreServer(words.slice(1)) : undefined),
  },
  {
    tool: "ngrok",
    match: ({ name, words }) =>
      name === "ngrok" ? words.find((word) => /^(http|tcp|tls|start|tunnel)$/.test(word)) : undefined,
  },
  {
    // cloudflared tunnel run, or tunnel --url http://localhost:80 for one without an account.
    tool: "cloudflared",
    match: ({ name, words }) => {
      const request = words.find((word) => word === "run" || /^--(token|url|hello-world)(=|$)/.test(word))
      if (name === "cloudflared") return words.includes("tunnel") ? request : undefined
      // Under another name: a connector with its token (base64 of JSON), or a service of this host.
      const isOwn =
        valueOf(words, ["--token"], /^eyJ/) ?? valueOf(words, ["--url"], /^[a-z]+:\/\/(localhost|127\.|\[::1\])/)
      return words[0] === "tunnel" && isOwn !== undefined ? request : undefined
    },
  },
  {
    // github.com/nicocha30/ligolo-ng: agent -connect HOST:PORT with -ignore-cert, -retry or -accept-fingerprint.
    tool: "ligolo-ng agent",
    match: ({ name, words }) =>
      /ligolo/.test(name) || words.some((word) => /^--?(ignore-cert|accept-fingerprint)$/.test(word))
        ? valueOf(words, ["-connect", "--connect"], /:\d+$/)
        : undefined,
  },
  {
    // github.com/NHAS/reverse_ssh: client -d HOST:PORT; github.com/Fahrj/reverse-ssh: [USER@]HOST without -l.
    tool: "reverse_ssh",
    match: ({ name, words }) => {
      if (!/^reverse[_-]?ssh|^rssh/i.test(name) || words.includes("-l")) return undefined
      return valueOf(words, ["-d", "--destination"], /./) ?? words.find((word) => !word.startsWith("-"))
    },
  },
  {
    // github.com/ginuerzh/gost: a listener with rtcp:// or rudp:// is opened at the far end of -F.
    tool: "gost",
    match: ({ words }) =>
      words.some((word) => /^-F(=|$)/.test(word))
        ? words.find((word) => /^(-L=?)?r(tcp|udp)(\+[a-z0-9]+)?:\/\//i.test(word))
        : undefined,
  },
  {
    tool: "revsocks",
    match: ({ name, words }) =>
      /^revsocks/.test(name) ? valueOf(words, ["-connect", "--connect"], /:\d+$/) : undefined,
  },
  {
    // socat with two ends that both connect: something inside is joined to something that was dialled.
    tool: "socat",
    match: ({ name, words }) => {
      if (!/^socat\d?$/.test(name)) return undefined
      const ends = words.filter((word) => /^(tcp[46]?|tcp[46]?-connect|openssl|openssl-connect|ssl):/i.test(word))
      return ends.length === 2 ? ends.join(" ") : undefined
    },
  },
]

/** The first tool whose shape the arguments have. */
export function tunnelTool({ exe, argv }: Pick<ProcessFacts, "exe" | "argv">): ToolMatch | undefined {
  const line = { name: programName(exe) || programName(argv[0] ?? ""), words: argv.slice(1) }
  for (const { tool, match } of tools) {
    const text = match(line)
    if (text !== undefined) return { tool, text }
  }
  return undefined
}

/** bore 0.5: -l HOST, -t HOST, -p PORT and -s SECRET, long or short, glued or not, and one port. */
function boreServer(words: readonly string[]): string | undefined {
  let server: string | undefined
  let ports = 0
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ""
    const option = /^(?:-[ltps]|--(?:local-host|to|port|secret))(=.*)?$/.exec(word)
    if (option !== null) {
      const value = option[1]?.slice(1) ?? words[++i]
      if (/^(-t|--to)/.test(word) && value !== undefined) server = option[1] === undefined ? `${word} ${value}` : word
    } else if (/^\d{1,5}$/.test(word)) ports += 1
    else return undefined
  }
  return ports === 1 ? server : undefined
}

/** The words of an option with its value, as "-c v", "-c=v" or "--config=v", when the value has the form. */
function valueOf(words: readonly string[], names: readonly string[], form: RegExp): string | undefined {
  for (const [i, word] of words.entries()) {
    const glued = names.find((option) => word.startsWith(`${option}=`))
    if (glued !== undefined && form.test(word.slice(glued.length + 1))) return word
    const next = words[i + 1]
    if (names.includes(word) && next !== undefined && form.test(next)) return `${word} ${next}`
  }
  return undefined
}
