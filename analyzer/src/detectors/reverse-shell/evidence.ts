/** A reverse shell in words and numbers that a person can check against the host. */
import type { Connection } from "../../domain/connection.js"
import type { Attachment } from "../../domain/coupling.js"
import type { Claim } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { Microseconds } from "../../domain/identity.js"
import { plural } from "../../text/amounts.js"
import { endpointText } from "../../text/endpoint.js"
import type { Suspect, Verdict } from "./judge.js"
import { reverseShellThresholds } from "./thresholds.js"

export const detectorName = "reverse-shell"

/** Every program that the shell starts inherits the connection, which is therefore the subject. */
export function claimOf(suspect: Suspect, verdict: Verdict, nowUs: Microseconds, before: Claim | undefined): Claim {
  const { attachment, shell, outside } = suspect
  const { score, confidence } = reverseShellThresholds.verdicts[verdict.reason]
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
    summary: `${shell.comm || shell.exe} takes its commands from ${endpointText(outside.remote)}: ${why(verdict, attachment)}.`,
    evidence: [attachmentEvidence(suspect), connectionEvidence(outside)],
    attack: ["T1059.004", "T1095"],
    status: "active",
  }
}

function why({ reason, executed }: Verdict, { kind }: Attachment): string {
  const through = kind === "pty" ? "a pseudo terminal" : "pipes"
  const texts: Readonly<Record<Verdict["reason"], string>> = {
    stdioShell: "its stdin and stdout are that connection itself",
    stdioProgram: "its stdin and stdout are that connection, though it is no known shell",
    bytesMatch: `it read through ${through}, byte for byte, what came in from outside`,
    driven: `the far side speaks first, and ${plural(executed, "program")} ran below it within 0.2 s of that`,
  }
  return texts[reason]
}

function attachmentEvidence({ attachment, shell, outside }: Suspect): Evidence {
  const place = endpointText(outside.remote)
  const how: Readonly<Record<Attachment["kind"], string>> = {
    "stdio-socket": `Descriptors 0-2 of ${shell.exe} are the connection to ${place}.`,
    pty: `${shell.exe} runs on a pseudo terminal whose other side is held by the owner of the connection to ${place}.`,
    pipe: `Stdin and stdout of ${shell.exe} lead to the owner of the connection to ${place}.`,
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
