/** What an SSH client is used for from this host, by its command line and the configuration files that it reads. */
import type { Endpoint, ProcessFacts } from "../../domain/identity.js"
import { programName } from "../../text/program-name.js"
import { firstValue, isLocalForward, isYes, parseSshArgv, settingOf, type Setting, type SshArgv } from "./argv.js"
import { parsePlinkArgv } from "./plink-argv.js"
import { assumedGrammar, isPlink, sshGrammarOf } from "./programs.js"

type SshClient = Pick<ProcessFacts, "exe" | "argv" | "sshForwards">

/**
 * What explains a channel that stands. "idle" is one that nothing on its command line explains: no session, nothing forwarded
 * from here.
 */
export type SshUse = "command" | "local-forward" | "stdio-forward" | "master" | "session" | "idle"

export function sshArgvOf(facts: Pick<ProcessFacts, "exe" | "argv">): SshArgv {
  if (isPlink(facts)) return parsePlinkArgv(facts.argv)
  return parseSshArgv(facts.argv, sshGrammarOf(facts) ?? assumedGrammar)
}

export function sshUseOf(facts: SshClient): SshUse {
  const line = sshArgvOf(facts)
  if (line.letters.has("W") && line.localForwards.length > 0) return "stdio-forward"
  if (line.command.length > 0) return "command"
  if (line.localForwards.length > 0 || (!line.cleared && fileSettings(facts).some(isLocalForward)))
    return "local-forward"
  if (isMultiplexingMaster(facts)) return "master"
  return hasNoSession(line) ? "idle" : "session"
}

/** -N, or what says the same in OpenSSH 8.7 and later. */
function hasNoSession({ letters, settings }: SshArgv): boolean {
  return letters.has("N") || firstValue(settings, "sessiontype")?.toLowerCase() === "none"
}

/**
 * A client whose connection others work through: -M, ControlMaster, or what OpenSSH calls itself once it persists
 * (clientloop.c: "ssh: PATH [mux]").
 */
export function isMultiplexingMaster(facts: SshClient): boolean {
  if (/^ssh: .* \[mux\]$/.test(facts.argv[0] ?? "")) return true
  const line = sshArgvOf(facts)
  const mode = firstValue(settingsOf(facts), "controlmaster")
  // autossh has an -M of its own.
  const hasLetter = line.letters.has("M") && sshGrammarOf(facts)?.client === "ssh"
  return hasLetter || (mode !== undefined && /^(yes|true|auto|ask|autoask)$/i.test(mode))
}

/** The far side may use the SSH agent of this host: -A or ForwardAgent, which also takes a path. */
export function forwardsAgent(facts: SshClient): boolean {
  const line = sshArgvOf(facts)
  const setting = firstValue(settingsOf(facts), "forwardagent")
  return !line.letters.has("a") && (line.letters.has("A") || (setting !== undefined && !/^(no|false)$/i.test(setting)))
}

/** The far side may use the display of this host: -X, -Y or ForwardX11. */
export function forwardsDisplay(facts: SshClient): boolean {
  const line = sshArgvOf(facts)
  const hasLetter = line.letters.has("X") || line.letters.has("Y")
  const setting = firstValue(settingsOf(facts), "forwardx11")
  return !line.letters.has("x") && (hasLetter || isYes(setting))
}

/** Of the command line and then of files, as ssh goes through them: the first value of an option wins. */
export function settingsOf(facts: SshClient): readonly Setting[] {
  return [...sshArgvOf(facts).settings, ...fileSettings(facts)]
}

function fileSettings({ sshForwards }: SshClient): readonly Setting[] {
  return sshForwards.map(({ directive }) => settingOf(directive))
}

/**
 * What autossh -M adds to its client for its own probe: -L P:127.0.0.1:P and -R P:127.0.0.1:P+1, where it listens itself
 * (autossh.c). The far side sends back what autossh sent, and reaches nothing else. Undefined where the client has none.
 */
export function autosshEcho(facts: SshClient, parent: SshClient | undefined): string | undefined {
  if (parent === undefined || programName(parent.exe) !== "autossh") return undefined
  const { localForwards, forwards } = sshArgvOf(facts)
  return forwards.find(({ what }) => {
    const port = Number(/^(\d+):127\.0\.0\.1:\d+$/.exec(what)?.[1])
    return what === `${port}:127.0.0.1:${port + 1}` && localForwards.includes(`${port}:127.0.0.1:${port}`)
  })?.what
}

/** Whether that probe comes back to this place inside. */
export function isAutosshEcho({ address, port }: Endpoint, facts: SshClient, parent: SshClient | undefined): boolean {
  return autosshEcho(facts, parent)?.endsWith(`:${address}:${port}`) === true
}
