/**
 * Reverse shell: a program that reads commands has an outbound outside connection as its stdin and stdout, directly or
 * through a pty or pipes that the owner of the connection holds.
 */
import type { Connection } from "../../domain/connection.js"
import type { Attachment } from "../../domain/coupling.js"
import type { Change, Claim, Detector } from "../../domain/detector.js"
import type { View } from "../../domain/view.js"
import { ClaimBook } from "../claims/claim-book.js"
import { isOutbound } from "../claims/outbound.js"
import { claimOf, detectorName } from "./evidence.js"
import { advanceMatch, isInterpreter, judgeBytes, judgeDriven, judgeStdio, noMatch } from "./judge.js"
import type { ByteMatch, Suspect, Verdict } from "./judge.js"
import { reverseShellThresholds } from "./thresholds.js"

interface State {
  /** By outside connection, then by holder and shell. */
  readonly matches: Map<string, Map<string, ByteMatch>>
  readonly book: ClaimBook
}

export function reverseShell(): Detector {
  const state: State = { matches: new Map(), book: new ClaimBook() }
  return {
    name: detectorName,
    observe: (change, view) => observe(change, view, state),
    tick: () => [],
  }
}

function observe(change: Change, view: View, state: State): readonly Claim[] {
  if (change.kind === "attachment") return look(change.attachment, view, state)
  if (change.kind === "connection") {
    const { connection } = change
    if (connection.closed !== undefined) {
      state.matches.delete(connection.cookie)
      return state.book.end(connection.cookie, view.nowUs)
    }
    if (connection.process === undefined) return []
    return view.attachmentsOf(connection.process).flatMap((attachment) => look(attachment, view, state))
  }
  if (change.kind === "edge" && change.edge.kind === "exec" && change.edge.aProcess !== undefined) {
    return view.attachmentsOf(change.edge.aProcess).flatMap((attachment) => look(attachment, view, state))
  }
  return []
}

function look(attachment: Attachment, view: View, state: State): readonly Claim[] {
  if (attachment.kind === "tun") return []
  const shellKey = attachment.kind === "stdio-socket" ? attachment.process : attachment.child
  const shell = shellKey === undefined ? undefined : view.process(shellKey)
  if (!shell) return []
  return outsideOf(attachment, view).flatMap((outside) => {
    const suspect = { attachment, shell, outside }
    const verdict = attachment.kind === "stdio-socket" ? judgeStdio(suspect) : judgeRelayed(suspect, view, state)
    return verdict ? claim(suspect, verdict, view, state) : []
  })
}

function outsideOf(attachment: Attachment, view: View): readonly Connection[] {
  const candidates =
    attachment.kind === "stdio-socket" ? [view.connection(attachment.cookie)] : view.connectionsOf(attachment.process)
  return candidates.filter((c): c is Connection => c !== undefined && c.closed === undefined && isOutbound(c, view))
}

function judgeRelayed({ attachment, shell, outside }: Suspect, view: View, { matches }: State): Verdict | undefined {
  if (!isInterpreter(shell.exe)) return undefined
  const ofConnection = matches.get(outside.cookie) ?? new Map<string, ByteMatch>()
  matches.set(outside.cookie, ofConnection)
  const key = `${attachment.process} ${shell.key}`
  const match = advanceMatch(ofConnection.get(key) ?? noMatch, attachment, outside)
  ofConnection.set(key, match)
  const byBytes = judgeBytes(match)
  if (byBytes || attachment.kind !== "pty") return byBytes
  return judgeDriven(outside, view.edgesOfConnection(outside.cookie))
}

/** Every program that the shell starts inherits the connection: the first one stands for all, until one is surer. */
function claim(suspect: Suspect, verdict: Verdict, view: View, { book }: State): readonly Claim[] {
  const before = book.get(suspect.outside.cookie)?.claim
  const { score } = reverseShellThresholds.verdicts[verdict.reason]
  if (before && (before.score > score || (before.process !== suspect.shell.key && before.score === score))) return []
  return book.record(claimOf(suspect, verdict, view.nowUs, before))
}
