import type { HostFacts } from "../../domain/identity.js"
import { runKey } from "../../domain/keys.js"
import type { CollectorStream } from "./collector-stream.js"
import { CollectorSession } from "./session.js"

/** Runs of collectors that are remembered; of the peer that has most without a stream, the longest silent goes first. */
const rememberedSessions = 4_096

/** Which run of which collector speaks on which stream. A newer stream of the same run replaces the older one. */
export class Sessions {
  /** In the order of the last Hello. */
  readonly #sessions = new Map<string, CollectorSession>()
  readonly #streams = new Map<CollectorSession, CollectorStream>()

  values(): Iterable<CollectorSession> {
    return this.#sessions.values()
  }

  /** Gives the session of this run to the stream; also gives the stream that had it until now. */
  attach(
    stream: CollectorStream,
    host: HostFacts,
  ): { readonly session: CollectorSession; readonly replaced: CollectorStream | undefined } {
    const key = runKey(host)
    const session = this.#sessions.get(key) ?? new CollectorSession(host, stream.peer)
    session.greet(host)
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    const replaced = this.#streams.get(session)
    this.#streams.set(session, stream)
    this.#forgetOld()
    return { session, replaced }
  }

  detach(stream: CollectorStream): void {
    const { session } = stream
    if (session !== undefined && this.#streams.get(session) === stream) this.#streams.delete(session)
  }

  /** The stream that this session has now. */
  streamOf(session: CollectorSession): CollectorStream | undefined {
    return this.#streams.get(session)
  }

  #forgetOld(): void {
    if (this.#sessions.size <= rememberedSessions) return
    const silent = new Map<string, string[]>()
    for (const [key, session] of this.#sessions)
      if (!this.#streams.has(session)) silent.set(session.peer, [...(silent.get(session.peer) ?? []), key])
    const [greediest] = [...silent.values()].sort((a, b) => b.length - a.length)
    const oldest = greediest?.[0]
    if (oldest !== undefined) this.#sessions.delete(oldest)
  }
}
