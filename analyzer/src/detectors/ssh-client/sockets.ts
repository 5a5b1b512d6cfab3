/** Unix sockets that belong to SSH itself: agents, displays, and those by which clients share one connection. */
import type { ProcessFacts } from "../../domain/identity.js"
import { firstValue } from "./argv.js"
import { isSshClient } from "./programs.js"
import { forwardsAgent, settingsOf, sshArgvOf } from "./use.js"

/**
 * ssh-agent (in /tmp, and since OpenSSH 10.1 in ~/.ssh/agent), the keyrings and password stores that act as one, and X11 with
 * and without a file.
 */
const agents =
  /\/agent\.\d+$|\/\.ssh\/agent\/s\.|\/keyring\/(\.?ssh|control)$|\/gcr\/(\.?ssh|control)$|\/S\.gpg-agent(\.(ssh|extra))?$|ssh[-_]?(agent|auth)[^/]*$|\/\.1password\/agent\.sock$|\/yubikey-agent\/[^/]*$/i
const displays = /^@?\/tmp\/\.X11-unix\/X\d+$/

function isAgentSocket(path: string): boolean {
  return agents.test(path)
}

function isDisplaySocket(path: string): boolean {
  return displays.test(path)
}

export function isAgentOrDisplay(path: string): boolean {
  return isAgentSocket(path) || isDisplaySocket(path)
}

/**
 * Whether the socket may be the agent that a client forwards (-A, ForwardAgent), wherever it is: the path that its options
 * name, or any where they name none (SSH_AUTH_SOCK is not known). A client that was asked to lead elsewhere too does not count.
 */
export function isForwardedAgent(path: string, facts: Pick<ProcessFacts, "exe" | "argv" | "sshForwards">): boolean {
  const { forwards } = sshArgvOf(facts)
  const settings = settingsOf(facts)
  if (path === "" || forwards.length > 0 || !forwardsAgent(facts)) return false
  const forwarded = firstValue(settings, "forwardagent")
  const named = forwarded?.startsWith("/") === true ? forwarded : firstValue(settings, "identityagent")
  return named === undefined || !named.startsWith("/") || named === path
}

/** Displays of X11 over TCP, as one that itself was forwarded here: 6000 and the number of the display (RFC 1013). */
export function isDisplayPort(port: number): boolean {
  return port >= 6_000 && port < 6_100
}

/** What OpenSSH puts behind the path of a master while it binds it, before it gives it its name (mux.c): 16 letters and digits. */
const boundSuffix = /\.[A-Za-z0-9]{16}$/

/**
 * Whether a path is that of a master's control socket for this client: -S or ControlPath, whose tokens (%h, %C) stand for
 * anything but a slash.
 */
export function isControlSocket(path: string, facts: Pick<ProcessFacts, "exe" | "argv" | "sshForwards">): boolean {
  const template = controlPathOf(facts)
  if (template === undefined || template === "" || template === "none") return false
  const name = path.replace(boundSuffix, "")
  return name === template || matches(name, template)
}

function controlPathOf(facts: Pick<ProcessFacts, "exe" | "argv" | "sshForwards">): string | undefined {
  // Other programs have a -S of their own, and a relay may be given one.
  if (!isSshClient(facts)) return undefined
  const mux = /^ssh: (.*) \[mux\]$/.exec(facts.argv[0] ?? "")
  if (mux !== null) return mux[1]
  return sshArgvOf(facts).controlPath ?? firstValue(settingsOf(facts), "controlpath")
}

/** The pieces between tokens, one after the other; a token holds no slash. */
function matches(path: string, template: string): boolean {
  const pieces = template.replace(/^~(?=\/)/, "%d").split(/%.|\$\{[^}]*\}/)
  const [first = "", ...rest] = pieces
  // Relative to a home or a folder that is not known.
  let at = first === "" ? 0 : path.startsWith(first) ? first.length : -1
  if (at < 0) return false
  for (const piece of rest) {
    if (piece === "") continue
    const next = path.indexOf(piece, at)
    if (next < 0) return false
    at = next + piece.length
  }
  const last = pieces.at(-1) ?? ""
  return pieces.length > 1 && (last === "" ? !path.slice(at).includes("/") : at === path.length)
}
