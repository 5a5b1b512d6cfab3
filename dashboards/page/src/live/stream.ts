import { ApiError, getJson } from "./api.js"
import { advance, nothingYet } from "./state.js"
import type { LiveEvent, LiveState } from "./state.js"

const kinds = ["overview", "incident", "finding", "outbound"] as const
/** After this long without an event the stream counts as lost; the analyzer sends something every 15 s. */
const silenceMs = 40_000
const retryMs = 2_000

export interface LiveStream {
  readonly state: () => LiveState
  /** Called at most once a frame; the function that ends it. */
  readonly subscribe: (listener: () => void) => () => void
  readonly close: () => void
}

/**
 * Listens to /api/events, and again whenever the analyzer was away. One that was restarted knows no sessions:
 * `onSignedOut` is called then, and nothing more is tried.
 */
export function openStream(onSignedOut: () => void): LiveStream {
  let state = nothingYet
  let source: EventSource | undefined
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  let silenceTimer: ReturnType<typeof setTimeout> | undefined
  let waiting: LiveEvent[] = []
  let isClosed = false
  const listeners = new Set<() => void>()

  const enqueue = (event: LiveEvent) => {
    waiting.push(event)
    if (waiting.length === 1) afterFrame(flush)
  }
  const flush = () => {
    const events = waiting
    waiting = []
    const next = advance(state, events)
    if (next === state) return
    state = next
    for (const listener of listeners) listener()
  }
  const disconnect = () => {
    source?.close()
    clearTimeout(silenceTimer)
    enqueue({ kind: "stream", value: "lost", atMs: Date.now() })
    clearTimeout(retryTimer)
    retryTimer = setTimeout(() => void reconnect(), retryMs)
  }
  // An event source does not give the reason why it ended; a request does.
  const reconnect = async () => {
    const error = await getJson("session").then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (isClosed) return
    if (error === undefined) connect()
    else if (error instanceof ApiError && error.status === 401) onSignedOut()
    else disconnect()
  }
  const restartTimeout = () => {
    clearTimeout(silenceTimer)
    silenceTimer = setTimeout(disconnect, silenceMs)
  }
  const connect = () => {
    const opened = new EventSource("./api/events")
    source = opened
    restartTimeout()
    opened.addEventListener("open", () => {
      restartTimeout()
      enqueue({ kind: "stream", value: "live", atMs: Date.now() })
    })
    opened.addEventListener("error", disconnect)
    opened.addEventListener("closing", disconnect)
    for (const kind of kinds) {
      opened.addEventListener(kind, (message) => {
        restartTimeout()
        enqueue({ kind, value: JSON.parse((message as MessageEvent<string>).data) as never })
      })
    }
  }
  connect()
  return {
    state: () => state,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => {
      isClosed = true
      clearTimeout(retryTimer)
      clearTimeout(silenceTimer)
      source?.close()
    },
  }
}

/** A page in the background gets no frames, and must not let events pile up. */
function afterFrame(run: () => void): void {
  if (document.hidden) setTimeout(run, 250)
  else requestAnimationFrame(run)
}
