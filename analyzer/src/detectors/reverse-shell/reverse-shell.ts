/**
 * Reverse shell: a program that reads commands has an outbound outside connection as its stdin and stdout, directly or
 * through a pty or pipes that the owner of the connection holds.
 */
import type { Change, Claim, Detector } from "../../domain/detector.js"
import type { View } from "../../domain/view.js"
import { ClaimBook } from "../claims/claim-book.js"
import { isOutbound } from "../claims/outbound.js"
import { claimOf, detectorName } from "./evidence.js"
import { isInterpreter, judgeBytes, judgeDriven, judgeStdio } from "./judge.js"
import type { Suspect, Verdict } from "./judge.js"
import { Executed, Matches } from "./counts.js"
import { Moved } from "./moved.js"
import type { Pair } from "./moved.js"
import { reverseShellThresholds } from "./thresholds.js"

interface State {
  readonly book: ClaimBook
  readonly moved: Moved
  readonly matches: Matches
  readonly executed: Executed
}

export function reverseShell(): Detector {
  const state: State = { book: new ClaimBook(), moved: new Moved(), matches: new Matches(), executed: new Executed() }
  return {
    name: detectorName,
    observe: (change, view) => observe(change, view, state),
    settle: (view) => state.moved.take(view).flatMap((pair) => look(pair, view, state)),
    tick: () => [],
  }
}

function observe(change: Change, view: View, { book, moved, matches, executed }: State): readonly Claim[] {
  if (change.kind === "attachment") moved.addAttachment(change.attachment, change.previous)
  else if (change.kind === "edge-gone") executed.remove(change.edge)
  else if (change.kind === "edge") {
    executed.add(change.edge, change.previous)
    if (change.edge.kind === "exec") moved.addConnection(change.edge.aCookie)
  } else if (change.kind === "exit") moved.forget(change.process)
  else if (change.kind === "connection") {
    const { cookie, closed } = change.connection
    if (closed === undefined) moved.addConnection(cookie)
    else {
      matches.delete(cookie)
      return book.end(cookie, view.nowUs)
    }
  }
  return []
}

function look({ attachment, outside }: Pair, view: View, state: State): readonly Claim[] {
  const shellKey = attachment.kind === "stdio-socket" ? attachment.process : attachment.child
  const shell = shellKey === undefined ? undefined : view.process(shellKey)
  if (!shell || outside.closed !== undefined || !isOutbound(outside, view)) return []
  const suspect = { attachment, shell, outside }
  const verdict = attachment.kind === "stdio-socket" ? judgeStdio(suspect) : judgeRelayed(suspect, state)
  return verdict ? claim(suspect, verdict, view, state) : []
}

function judgeRelayed({ attachment, shell, outside }: Suspect, { matches, executed }: State): Verdict | undefined {
  if (!isInterpreter(shell.exe)) return undefined
  const byBytes = judgeBytes(matches.advance(attachment, shell.key, outside))
  if (byBytes || attachment.kind !== "pty") return byBytes
  return judgeDriven(outside, executed.after(outside.cookie))
}

/** Every program that the shell starts inherits the connection: the first one stands for all, until one is surer. */
function claim(suspect: Suspect, verdict: Verdict, view: View, { book }: State): readonly Claim[] {
  const before = book.get(suspect.outside.cookie)?.claim
  const { score } = reverseShellThresholds.verdicts[verdict.reason]
  if (before && (before.score > score || (before.process !== suspect.shell.key && before.score === score))) return []
  return book.record(claimOf(suspect, verdict, view.nowUs, before))
}
