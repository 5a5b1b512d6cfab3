/**
 * Reverse shell: a program that reads commands has an outbound outside connection as its stdin and stdout, directly or
 * through a pty or pipes that the owner of the connection holds.
 */
import type { Connection } from "../../domain/connection.js"
import type { Attachment } from "../../domain/coupling.js"
import type { Change, Claim, Detector } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { ProcessFacts } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { endpointText, plural } from "../coupling/evidence.js"
import {
  advanceMatch,
  bytesAgree,
  executedOnDemand,
  isDriven,
  isInterpreter,
  noMatch,
  type ByteMatch,
} from "./drive.js"

const name = "reverse-shell"
const stdin = 1
const stdoutAndStderr = 2 | 4

interface State {
  readonly matches: Map<string, ByteMatch>
  readonly claimed: Map<string, Claim>
}

interface Strength {
  readonly score: number
  readonly confidence: number
  readonly why: string
}

export function reverseShell(): Detector {
  const state: State = { matches: new Map(), claimed: new Map() }
  return {
    name,
    observe: (change, view) => observe(change, view, state),
    tick: () => [],
  }
}

function observe(change: Change, view: View, state: State): readonly Claim[] {
  if (change.kind === "attachment") return judge(change.attachment, view, state)
  if (change.kind === "connection") {
    const { connection } = change
    if (connection.closed !== undefined) return end(connection, view, state)
    if (connection.process === undefined) return []
    return view.attachmentsOf(connection.process).flatMap((attachment) => judge(attachment, view, state))
  }
  if (change.kind === "edge" && change.edge.kind === "exec" && change.edge.aProcess !== undefined) {
    return view.attachmentsOf(change.edge.aProcess).flatMap((attachment) => judge(attachment, view, state))
  }
  return []
}

function end(connection: Connection, view: View, state: State): readonly Claim[] {
  const ended: Claim[] = []
  for (const [subject, claim] of state.claimed) {
    if (claim.cookie !== connection.cookie) continue
    state.claimed.delete(subject)
    ended.push({ ...claim, lastSeenUs: view.nowUs, status: "ended" })
  }
  for (const key of state.matches.keys()) if (key.endsWith(connection.cookie)) state.matches.delete(key)
  return ended
}

function judge(attachment: Attachment, view: View, state: State): readonly Claim[] {
  if (attachment.kind === "tun") return []
  const shellKey = attachment.kind === "stdio-socket" ? attachment.process : attachment.child
  const shell = shellKey === undefined ? undefined : view.process(shellKey)
  if (!shell) return []
  return outsideOf(attachment, view).flatMap((outside) => {
    const strength =
      attachment.kind === "stdio-socket"
        ? stdioStrength(attachment, shell, outside)
        : drivenStrength(attachment, shell, outside, view, state)
    return strength ? claim(attachment, shell, outside, strength, view, state) : []
  })
}

function outsideOf(attachment: Attachment, view: View): readonly Connection[] {
  const candidates =
    attachment.kind === "stdio-socket" ? [view.connection(attachment.cookie)] : view.connectionsOf(attachment.process)
  return candidates.filter(
    (c): c is Connection =>
      c !== undefined && c.closed === undefined && c.initiator === "local" && view.networks.isOutside(c.remote.address),
  )
}

/** An SSH server started with the connection as its stdio is another claim: see ssh-role-inversion. */
function stdioStrength(attachment: Attachment, shell: ProcessFacts, outside: Connection): Strength | undefined {
  const bothWays = (attachment.stdioMask & stdin) !== 0 && (attachment.stdioMask & stdoutAndStderr) !== 0
  if (!bothWays || outside.ssh.localIdent) return undefined
  return isInterpreter(shell.exe)
    ? { score: 0.95, confidence: 0.97, why: "its stdin and stdout are that connection itself" }
    : { score: 0.55, confidence: 0.7, why: "its stdin and stdout are that connection, though it is no known shell" }
}

function drivenStrength(
  attachment: Attachment,
  shell: ProcessFacts,
  outside: Connection,
  view: View,
  state: State,
): Strength | undefined {
  if (!isInterpreter(shell.exe)) return undefined
  const key = `${attachment.process} ${shell.key} ${outside.cookie}`
  const match = advanceMatch(state.matches.get(key) ?? noMatch, attachment, outside)
  state.matches.set(key, match)
  const through = attachment.kind === "pty" ? "a pseudo terminal" : "pipes"
  if (bytesAgree(match)) {
    return {
      score: 0.95,
      confidence: 0.95,
      why: `it read through ${through}, byte for byte, what came in from outside`,
    }
  }
  if (attachment.kind !== "pty") return undefined
  const executed = executedOnDemand(view.edgesOfConnection(outside.cookie))
  if (isDriven(outside, executed)) {
    return {
      score: 0.9,
      confidence: 0.85,
      why: `the far side speaks first, and ${plural(executed, "program")} ran below it within 0.2 s of that`,
    }
  }
  return undefined
}

function claim(
  attachment: Attachment,
  shell: ProcessFacts,
  outside: Connection,
  strength: Strength,
  view: View,
  state: State,
): readonly Claim[] {
  /* Every program that the shell starts inherits the connection: the first one stands for all. */
  const subject = outside.cookie
  const before = state.claimed.get(subject)
  if (before && (before.score > strength.score || (before.process !== shell.key && before.score === strength.score)))
    return []
  const place = endpointText(outside.remote)
  const made: Claim = {
    class: "reverse_shell",
    detector: name,
    subject,
    score: strength.score,
    confidence: strength.confidence,
    firstSeenUs: before?.firstSeenUs ?? attachment.observedUs,
    lastSeenUs: view.nowUs,
    process: shell.key,
    cookie: outside.cookie,
    summary: `${shell.comm || shell.exe} takes its commands from ${place}: ${strength.why}.`,
    evidence: [attachmentEvidence(attachment, shell, outside), connectionEvidence(outside)],
    attack: ["T1059.004", "T1095"],
    status: "active",
    facts: { attachment: attachment.kind, interpreter: isInterpreter(shell.exe) },
  }
  state.claimed.set(subject, made)
  return [made]
}

function attachmentEvidence(attachment: Attachment, shell: ProcessFacts, outside: Connection): Evidence {
  const how = {
    "stdio-socket": `Descriptors 0-2 of ${shell.exe} are the connection to ${endpointText(outside.remote)}.`,
    pty: `${shell.exe} runs on a pseudo terminal whose other side is held by the owner of the connection to ${endpointText(outside.remote)}.`,
    pipe: `Stdin and stdout of ${shell.exe} lead to the owner of the connection to ${endpointText(outside.remote)}.`,
    tun: "",
  }
  return {
    kind: "stdio",
    text: how[attachment.kind],
    atUs: attachment.observedUs,
    facts: {
      attachment: attachment.kind,
      stdio_mask: attachment.stdioMask,
      holder: attachment.process,
      child: attachment.child ?? "",
      child_read_chars: attachment.childRead,
      child_written_chars: attachment.childWritten,
    },
  }
}

function connectionEvidence(outside: Connection): Evidence {
  const x = outside.exchanges
  return {
    kind: "remote-led",
    text: x
      ? `The far side spoke first after a silence ${plural(x.remoteLed, "time")}, and this host answered ${x.remoteLedAnswered} of them within a second.`
      : "No turns have been counted on it yet.",
    atUs: outside.observedUs,
    facts: {
      remote_led: x?.remoteLed ?? 0,
      remote_led_answered: x?.remoteLedAnswered ?? 0,
      bytes_received: outside.bytesReceived,
    },
  }
}
