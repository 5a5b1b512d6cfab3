/** An answer of the analyzer that is not what was asked for. */
export class Refused extends Error {
  /** HTTP status; 0 when the analyzer did not answer. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const patienceMs = 15_000

/** Asks for JSON below /api/. Rejects with Refused, whose message is one sentence for a person. */
export async function ask<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  const response = await fetched(path, signal === undefined ? {} : { signal })
  return (await response.json()) as Answer
}

/** Shows the token and gets a session, which the browser keeps as a cookie that no script sees. */
export async function signIn(token: string): Promise<void> {
  await fetched("session", { method: "POST", headers: { authorization: `Bearer ${token}` } })
}

async function fetched(path: string, init: RequestInit): Promise<Response> {
  const limit = AbortSignal.timeout(patienceMs)
  const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit
  let response: Response
  try {
    response = await fetch(`./api/${path}`, { ...init, signal, credentials: "same-origin" })
  } catch (thrown) {
    if (init.signal?.aborted === true) throw thrown
    throw new Refused(
      0,
      "The analyzer does not answer. It may be stopping or starting; the page goes on when it is back.",
    )
  }
  if (response.ok) return response
  const body = (await response.json().catch(() => ({}))) as { readonly error?: string }
  throw new Refused(response.status, body.error ?? `The analyzer answered with status ${response.status}.`)
}
