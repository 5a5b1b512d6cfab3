/** A reverse shell in words and numbers that a person can check against the host. */
import type { Connection } from "../../domain/connection.js"
import type { Attachment, CouplingEdge, Moments } from "../../domain/coupling.js"
import type { Claim } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { Microseconds, ProcessFacts } from "../../domain/identity.js"
import type { View } from "../../domain/view.js"
import { bytesText, plural } from "../../text/amounts.js"
import { endpointText } from "../../text/endpoint.js"
import { promptly } from "./executions.js"
import type { ExecutionVerdict } from "./executions.js"
import { isInterpreter } from "./judge.js"
import type { Reason, Suspect } from "./judge.js"
import { reverseShellThresholds } from "./thresholds.js"

export const detectorName = "reverse-shell"

/** Every program that the shell starts inherits the connection, which is therefore the subject. */
export function claimOf(suspect: Suspect, reason: Reason, nowUs: Microseconds, before: Claim | undefined): Claim {
  const { attachment, shell, outside } = suspect
  const { score, confidence } = reverseShellThresholds.verdicts[reason]
  return {
    class: "reverse_shell",
    detector: detectorName,
    subject: outside.cookie,
    score,
    confidence,
    firstSeenUs: before?.firstSeenUs ?? attachment.observedUs,
    lastSeenUs: nowUs,
    process: shell.key,
    cookie: outside.cookie,
    summary: `${shell.comm || shell.exe} takes its commands from ${endpointText(outside.remote)}: ${why(reason, suspect)}.`,
    evidence: [attachmentEvidence(suspect), connectionEvidence(outside)],
    attack: ["T1059.004", "T1095"],
    status: "active",
  }
}

function why(reason: Reason, { attachment: { kind }, shell: { exe } }: Suspect): string {
  if (reason === "stdioShell") return "its stdin and stdout are that connection itself"
  if (reason === "stdioProgram") return "its stdin and stdout are that connection, though it is no known shell"
  const through = kind === "pty" ? "a pseudo terminal" : "pipes"
  const read = `it read through ${through}, byte for byte, what came in from outside`
  return isInterpreter(exe) ? read : `${read}, though it is no known shell`
}

function attachmentEvidence({ attachment, shell, outside }: Suspect): Evidence {
  const place = endpointText(outside.remote)
  const how: Readonly<Record<Attachment["kind"], string>> = {
    "stdio-socket": `Descriptors 0-2 of ${shell.exe} are the connection to ${place}.`,
    pty: `${shell.exe} runs on a pseudo terminal whose other side is held by the owner of the connection to ${place}.`,
    pipe: `Stdin and stdout of ${shell.exe} lead to the owner of the connection to ${place}.`,
    "pipe-between": `Stdin of ${shell.exe} leads to the owner of the connection to ${place}, its stdout to that of another outside connection.`,
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

/** Named is who executes: the parent of the last program, where that is known. */
export function claimOfExecutions(
  edge: CouplingEdge,
  verdict: ExecutionVerdict,
  subject: string,
  view: View,
  before: Claim | undefined,
): Claim {
  const { score, confidence } = reverseShellThresholds.verdicts[verdict.reason]
  const shell = executorOf(edge, view)
  const who = shell === undefined ? "A process" : shell.comm || shell.exe
  const place = endpointText(edge.aRemote)
  return {
    class: "reverse_shell",
    detector: detectorName,
    subject,
    score,
    confidence,
    firstSeenUs: before?.firstSeenUs ?? edge.firstUs,
    lastSeenUs: view.nowUs,
    process: shell?.key ?? edge.aProcess,
    cookie: edge.aCookie,
    summary:
      verdict.reason === "runsOnRequest"
        ? `${who} runs programs when ${place} speaks: ${soonText(edge)}; that it runs what it is told is not seen.`
        : `${who} runs what ${place} tells it: ${soonText(edge)}, and ${conservedText(verdict)}.`,
    evidence: [executionEvidence(edge, verdict), lengthEvidence(edge, verdict)],
    attack: ["T1059.004", "T1095"],
    status: "active",
  }
}

function executorOf({ aProcess, bProcess }: CouplingEdge, view: View): ProcessFacts | undefined {
  const program = bProcess === undefined ? undefined : view.process(bProcess)
  const parent = program?.parent === undefined ? undefined : view.process(program.parent)
  return parent ?? (aProcess === undefined ? undefined : view.process(aProcess))
}

function soonText({ executions }: CouplingEdge): string {
  const { soon, all } = executions ? promptly(executions) : { soon: 0, all: 0 }
  return `${soon} of ${plural(all, "program")} began within 0.25 s after it spoke`
}

function conservedText({ bits: { commands, outputs, keys, frames } }: ExecutionVerdict): string {
  const cameIn =
    keys > Math.max(commands, frames)
      ? ["as many keys came in as the programs' lines have"]
      : commands > 0 || frames > 0
        ? ["what came in is as long as what ran"]
        : []
  const left = outputs > 0 ? ["what left as long as what was written"] : []
  return [...cameIn, ...left].join(", ")
}

function executionEvidence(edge: CouplingEdge, { bits }: ExecutionVerdict): Evidence {
  const started = edge.executions?.started ?? []
  const exposed = edge.executions?.exposedNs ?? []
  const watched = exposed.reduce((sum, ns) => sum + ns, 0)
  const near = watched - (exposed.at(-1) ?? 0)
  const share = watched === 0 ? 0 : Math.round((100 * near) / watched)
  return {
    kind: "execution",
    text: `${soonText(edge)}; it had spoken within 0.25 s for ${share} % of the time. The first program after each turn counts, and at most one much later.`,
    atUs: edge.lastUs,
    facts: {
      began_within_4_ms: started[0] ?? 0,
      began_within_16_ms: started[1] ?? 0,
      began_within_64_ms: started[2] ?? 0,
      began_within_256_ms: started[3] ?? 0,
      began_later: started[4] ?? 0,
      watched_ms: Math.round(watched / 1e6),
      timing_bits: rounded(bits.timing),
    },
  }
}

function lengthEvidence(edge: CouplingEdge, { bits }: ExecutionVerdict): Evidence {
  return {
    kind: "conservation",
    text: `${turnsText(edge.forward)} came in before programs of ${bytesText(edge.forward.y)} of words; ${bytesText(edge.backwardIn)} were written by programs that ended, ${bytesText(edge.backwardOut)} left then.`,
    atUs: edge.lastUs,
    facts: {
      command_bits: rounded(bits.commands),
      output_bits: rounded(bits.outputs),
      key_bits: rounded(bits.keys),
      frame_bits: rounded(bits.frames),
      typed: edge.executions?.typed ?? 0,
      not_typed: edge.executions?.untyped ?? 0,
      commands: edge.forward.n,
      received_bytes: edge.forward.x,
      command_bytes: edge.forward.y,
      written_bytes: edge.backwardIn,
      sent_bytes: edge.backwardOut,
    },
  }
}

function turnsText({ n, x }: Moments): string {
  return `In ${plural(n, "turn")} ${bytesText(x)}`
}

function rounded(bits: number): number {
  return Math.round(bits * 10) / 10
}
