import type { HostFacts } from "../../domain/identity.js"
import type { CollectorStream } from "./collector-stream.js"
import { CollectorSession } from "./session.js"

/** Runs of collectors that are remembered without a stream; the longest silent goes first. */
const rememberedSessions = 4_096

/** Which run of which collector speaks on which stream. A newer stream of the same run replaces the older one. */
export class Sessions {
  /** In the order of the last Hello. */
  readonly #sessions = new Map<string, CollectorSession>()
  readonly #streams = new Map<CollectorSession, CollectorStream>()

  values(): Iterable<CollectorSession> {
    return this.#sessions.values()
  }

  /** Joins the stream to its session. The stream that had the session until now. */
  attach(stream: CollectorStream, host: HostFacts): CollectorStream | undefined {
    const key = `${host.hostId}\n${host.bootId}\n${host.instance}`
    const session = this.#sessions.get(key) ?? new CollectorSession(host)
    session.host = host
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    const replaced = this.#streams.get(session)
    this.#streams.set(session, stream)
    stream.session = session
    this.#forgetOld()
    return replaced
  }

  detach(stream: CollectorStream): void {
    const { session } = stream
    if (session !== undefined && this.#streams.get(session) === stream) this.#streams.delete(session)
  }

  /** The stream on which this session can be told something now. */
  streamOf(session: CollectorSession): CollectorStream | undefined {
    return this.#streams.get(session)
  }

  #forgetOld(): void {
    if (this.#sessions.size <= rememberedSessions) return
    for (const [key, session] of this.#sessions) {
      if (this.#streams.has(session)) continue
      this.#sessions.delete(key)
      return
    }
  }
}
