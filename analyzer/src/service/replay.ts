import { runKey } from "../domain/keys.js"
import type { Output } from "../domain/output.js"
import { Hosts } from "../pipeline/hosts.js"
import { decode } from "../ingest/decode/decode.js"
import { ProcessDictionary } from "../ingest/decode/dictionary.js"
import { recordedMessages } from "../ingest/server/recording.js"
import type { Reject } from "../ingest/decode/rejections.js"
import { CollectorSession } from "../ingest/server/session.js"
import type { PipelineOptions } from "../pipeline/host-pipeline.js"

/**
 * What comes out of recorded streams, taken one after the other. Event time only: two replays of the same files give the
 * same outputs. A stream without a readable Hello, or what follows an unreadable message, is passed over as it was live.
 */
export function* replay(paths: readonly string[], options: PipelineOptions, reject: Reject): Generator<Output> {
  const hosts = new Hosts(options)
  const sessions = new Map<string, CollectorSession>()
  for (const path of paths) yield* replayStream(recordedMessages(path), hosts, sessions, reject)
}

// Nothing recorded lies in the future of a replay: what was refused live for the clock of its host is taken here.
const nowUs = Number.MAX_SAFE_INTEGER

function* replayStream(
  messages: Iterable<Uint8Array>,
  hosts: Hosts,
  sessions: Map<string, CollectorSession>,
  reject: Reject,
): Generator<Output> {
  let session: CollectorSession | undefined
  for (const bytes of messages) {
    if (session === undefined) {
      session = openSession(bytes, sessions, reject)
      if (session === undefined) return
      yield* hosts.greet(session.host, 0)
      continue
    }
    const input = session.read(bytes, nowUs, reject)
    if (input.kind === "malformed") return
    if (input.kind === "facts") hosts.learn(session.host, input.processes, 0)
    if (input.kind === "batch") yield hosts.apply(session.host, input.batch, 0)
  }
}

function openSession(
  bytes: Uint8Array,
  sessions: Map<string, CollectorSession>,
  reject: Reject,
): CollectorSession | undefined {
  const decoded = decode(bytes, { dictionary: new ProcessDictionary(), nowUs, reject })
  if (decoded.kind !== "hello") return undefined
  const { host } = decoded.hello
  const key = runKey(host)
  const session = sessions.get(key) ?? new CollectorSession(host)
  sessions.set(key, session)
  return session
}
