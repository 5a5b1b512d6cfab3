/**
 * Reverse shell: a program that reads commands has an outbound outside connection as its stdin and stdout, directly or
 * through a pty or pipes that the owner of the connection holds; or a process executes what comes in on such a connection.
 */
import type { CouplingEdge } from "../../domain/coupling.js"
import type { Change, Claim, Detector } from "../../domain/detector.js"
import type { View } from "../../domain/view.js"
import { ClaimBook } from "../claims/claim-book.js"
import { isOutbound } from "../claims/outbound.js"
import { Matches } from "./counts.js"
import { claimOf, claimOfExecutions, detectorName } from "./evidence.js"
import { judgeExecutions, timingBits } from "./executions.js"
import { judgeBytes, judgeStdio } from "./judge.js"
import type { Reason, Suspect } from "./judge.js"
import { Moved } from "./moved.js"
import type { Pair } from "./moved.js"
import { reverseShellThresholds as limits } from "./thresholds.js"

interface State {
  readonly book: ClaimBook
  readonly moved: Moved
  readonly matches: Matches
  /** Subject of the claim on the programs of one group and far side: the connection on which they were seen first. */
  readonly subjects: Map<string, string>
  /** By live connection: whether programs begin when it speaks, in bits. */
  readonly timing: Map<string, number>
}

export function reverseShell(): Detector {
  const state: State = {
    book: new ClaimBook(),
    moved: new Moved(),
    matches: new Matches(),
    subjects: new Map(),
    timing: new Map(),
  }
  return {
    name: detectorName,
    evictedClaims: () => state.book.evicted,
    observe: (change, view) => observe(change, view, state),
    settle: (view) => state.moved.take(view).flatMap((pair) => look(pair, view, state)),
    tick: () => [],
  }
}

function observe(change: Change, view: View, state: State): readonly Claim[] {
  const { book, moved, matches, timing } = state
  if (change.kind === "attachment") moved.addAttachment(change.attachment, change.previous)
  else if (change.kind === "edge-gone") return forget(change.edge, view, state)
  else if (change.kind === "edge") return change.edge.kind === "exec" ? judgeEdge(change.edge, view, state) : []
  else if (change.kind === "exit") moved.forget(change.process)
  else if (change.kind === "connection") {
    const { cookie, closed } = change.connection
    if (closed === undefined) moved.addConnection(cookie)
    else {
      matches.delete(cookie)
      timing.delete(cookie)
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
  const reason =
    attachment.kind === "stdio-socket"
      ? judgeStdio(suspect)
      : judgeBytes(state.matches.advance(attachment, shell.key, outside), suspect)
  // Programs begin at any time, as if nobody spoke: whoever types into the terminal is not at the far side.
  if (attachment.kind === "pty" && (state.timing.get(outside.cookie) ?? 0) < 0) return []
  return reason ? claim(suspect, reason, view, state) : []
}

/** Every program that the shell starts inherits the connection: the first one stands for all, until one is surer. */
function claim(suspect: Suspect, reason: Reason, view: View, { book }: State): readonly Claim[] {
  const before = book.get(suspect.outside.cookie)?.claim
  const { score } = limits.verdicts[reason]
  if (before && (before.score > score || (before.process !== suspect.shell.key && before.score === score))) return []
  return book.record(claimOf(suspect, reason, view.nowUs, before), undefined, view)
}

/** Who polls has a new connection each time: the claim stays with the one on which the far side was first obeyed. */
function judgeEdge(edge: CouplingEdge, view: View, { book, subjects, timing }: State): readonly Claim[] {
  const outside = view.connection(edge.aCookie)
  if (!view.networks.isOutside(edge.aRemote.address, outside?.route) || outside?.ssh.localIdent) return []
  if (outside !== undefined && outside.closed === undefined && edge.executions !== undefined)
    timing.set(edge.aCookie, timingBits(edge.executions))
  const verdict = judgeExecutions(edge)
  if (verdict === undefined) return []
  const subject = subjects.get(edgeKey(edge)) ?? edge.aCookie
  const before = book.get(subject)?.claim
  if (before && before.score > limits.verdicts[verdict.reason].score) return []
  subjects.set(edgeKey(edge), subject)
  return book.record(claimOfExecutions(edge, verdict, subject, view, before), undefined, view)
}

function forget(edge: CouplingEdge, view: View, { book, subjects, timing }: State): readonly Claim[] {
  if (edge.kind === "exec") timing.delete(edge.aCookie)
  const subject = edge.kind === "exec" ? subjects.get(edgeKey(edge)) : undefined
  if (subject === undefined) return []
  subjects.delete(edgeKey(edge))
  return view.connection(subject)?.closed === undefined && view.connection(subject) ? [] : book.end(subject, view.nowUs)
}

/** Bounded by the edges of the tracker, which says when one is gone. */
function edgeKey({ group, aRemote: { address, port } }: CouplingEdge): string {
  return `${group} ${address} ${port}`
}
