import { backflow } from "@backflow/proto"
import type { ProcessFacts, ProcessKey } from "../../domain/identity.js"
import { isPlausible } from "./context.js"
import type { DecodeContext } from "./context.js"
import { toDecimal, toNumber } from "./uint64.js"
import { wireLimits } from "./wire-limits.js"
import type { Span } from "./wire-reader.js"

type WireProcess = ReturnType<typeof backflow.v1.Process.decode>

/**
 * Reads Process messages and teaches their references to the dictionary. References are learnt before parents are looked
 * up: a child may stand before its parent.
 */
export function decodeProcesses(bytes: Uint8Array, spans: readonly Span[], context: DecodeContext): ProcessFacts[] {
  const wire = spans.map(({ start, end }) => backflow.v1.Process.decode(bytes.subarray(start, end)))
  const keys = wire.map((process) => `${process.pid}:${toDecimal(process.startNs)}`)
  wire.forEach((process, i) => {
    if (process.ref !== 0) context.dictionary.learn(process.ref, keys[i] ?? "")
  })
  return wire.flatMap((process, i) => readFacts(process, keys[i] ?? "", context) ?? [])
}

function readFacts(process: WireProcess, key: ProcessKey, context: DecodeContext): ProcessFacts | undefined {
  if (!hasBoundedText(process)) {
    context.reject("text_length")
    return undefined
  }
  const execUs = toNumber(process.execUs)
  if (execUs !== 0 && !isPlausible(execUs, context)) {
    context.reject("time")
    return undefined
  }
  return {
    key,
    pid: process.pid,
    startNs: toDecimal(process.startNs),
    parent: process.parent === 0 ? undefined : context.dictionary.keyOf(process.parent),
    exe: process.exe,
    argv: process.argv,
    argvTruncated: process.argvTruncated,
    uid: process.uid,
    cwd: process.cwd,
    containerId: process.containerId,
    cgroup: process.cgroup,
    comm: process.comm,
    hasTty: process.hasTty,
    execUs,
    sshForwards: process.sshForwards.map(({ path, directive }) => ({ path: path ?? "", directive: directive ?? "" })),
  }
}

function hasBoundedText(process: WireProcess): boolean {
  const paths = [process.exe, process.cwd, process.cgroup]
  const names = [process.comm, process.containerId]
  const argvChars = process.argv.reduce((chars, word) => chars + word.length, 0)
  return (
    paths.every((path) => path.length <= wireLimits.pathChars) &&
    names.every((name) => name.length <= wireLimits.nameChars) &&
    process.argv.length <= wireLimits.argvCount &&
    argvChars <= wireLimits.argvChars &&
    process.sshForwards.length <= wireLimits.forwards &&
    process.sshForwards.every(
      ({ path, directive }) =>
        (path?.length ?? 0) <= wireLimits.pathChars && (directive?.length ?? 0) <= wireLimits.pathChars,
    )
  )
}
