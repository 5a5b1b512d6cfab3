import { createHash, randomBytes } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { isSameSecret } from "../../config/secrets.js"

/** Browsers that are signed in at once; the least recently used session goes first. */
const maxSessions = 256
/** A session ends after so long without a request, in milliseconds. */
const sessionMs = 12 * 3_600_000

const cookieName = "backflow_session"

export interface AccessOptions {
  readonly token: string
  /** The cookie is sent back over TLS only. */
  readonly secure: boolean
  readonly monotonicMs: () => number
}

/** Who may read: whoever shows the token, or the cookie that was given for it. */
export class Access {
  readonly #options: AccessOptions
  /** Digest of each session's id, and when it was used last, in that order: what is kept here signs nobody in. */
  readonly #sessions = new Map<string, number>()

  constructor(options: AccessOptions) {
    this.#options = options
  }

  get sessions(): number {
    this.#expire()
    return this.#sessions.size
  }

  /** The request shows the token itself. */
  hasToken(request: IncomingMessage): boolean {
    const shown = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1]
    return shown !== undefined && isSameSecret(shown, this.#options.token)
  }

  isAllowed(request: IncomingMessage): boolean {
    return this.hasToken(request) || this.#hasSession(request)
  }

  /** A token is shown, whether it is right or not. A cookie of an earlier run is not one. */
  static showsToken({ headers }: IncomingMessage): boolean {
    return headers.authorization !== undefined
  }

  /** Opens a session; the value of its Set-Cookie header. */
  open(): string {
    const id = randomBytes(32).toString("base64url")
    this.#sessions.set(digest(id).toString("base64"), this.#options.monotonicMs())
    this.#expire()
    const secure = this.#options.secure ? "; Secure" : ""
    return `${cookieName}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${sessionMs / 1_000}${secure}`
  }

  #hasSession({ headers }: IncomingMessage): boolean {
    const id = cookieOf(headers.cookie)
    if (id === undefined) return false
    const key = digest(id).toString("base64")
    this.#expire()
    if (!this.#sessions.delete(key)) return false
    this.#sessions.set(key, this.#options.monotonicMs())
    return true
  }

  #expire(): void {
    const deadline = this.#options.monotonicMs() - sessionMs
    for (const [key, lastUsedMs] of this.#sessions) {
      if (lastUsedMs >= deadline && this.#sessions.size <= maxSessions) return
      this.#sessions.delete(key)
    }
  }
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest()
}

function cookieOf(header: string | undefined): string | undefined {
  return header
    ?.split(";")
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${cookieName}=`))
    ?.slice(cookieName.length + 1)
}
