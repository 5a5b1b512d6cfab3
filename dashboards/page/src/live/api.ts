/** The analyzer did not give what was requested. */
export class ApiError extends Error {
  /** HTTP status; 0 when the analyzer did not answer. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const timeoutMs = 15_000

/** JSON from below /api/. Rejects with ApiError, whose message is one sentence for a person. */
export async function getJson<Body>(path: string, signal?: AbortSignal): Promise<Body> {
  const response = await fetchApi(path, signal === undefined ? {} : { signal })
  return (await response.json()) as Body
}

/** Shows the token and gets a session, which the browser keeps as a cookie that no script sees. */
export async function signIn(token: string): Promise<void> {
  await fetchApi("session", { method: "POST", headers: { authorization: `Bearer ${token}` } })
}

async function fetchApi(path: string, init: RequestInit): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout
  let response: Response
  try {
    response = await fetch(`./api/${path}`, { ...init, signal, credentials: "same-origin" })
  } catch (thrown) {
    if (init.signal?.aborted === true) throw thrown
    throw new ApiError(
      0,
      "The analyzer does not answer. It may be stopping or starting; the page goes on when it is back.",
    )
  }
  if (response.ok) return response
  const body = (await response.json().catch(() => ({}))) as { readonly error?: string }
  throw new ApiError(response.status, body.error ?? `The analyzer answered with status ${response.status}.`)
}
