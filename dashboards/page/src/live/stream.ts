import { Refused, ask } from "./ask.js"
import { advance, nothingYet } from "./state.js"
import type { LiveEvent, LiveState } from "./state.js"

const kinds = ["overview", "incident", "finding", "outbound"] as const
/** After this long without a word the stream counts as lost; the analyzer says something every 15 s. */
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
  let retry: ReturnType<typeof setTimeout> | undefined
  let silence: ReturnType<typeof setTimeout> | undefined
  let waiting: LiveEvent[] = []
  let isClosed = false
  const listeners = new Set<() => void>()

  const take = (event: LiveEvent) => {
    waiting.push(event)
    if (waiting.length === 1) afterFrame(settle)
  }
  const settle = () => {
    const events = waiting
    waiting = []
    const next = advance(state, events)
    if (next === state) return
    state = next
    for (const listener of listeners) listener()
  }
  const lose = () => {
    source?.close()
    clearTimeout(silence)
    take({ kind: "stream", value: "lost", atMs: Date.now() })
    clearTimeout(retry)
    retry = setTimeout(() => void tryAgain(), retryMs)
  }
  // An event source does not tell why it ended; a question does.
  const tryAgain = async () => {
    const refused = await ask("session").then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (isClosed) return
    if (refused === undefined) connect()
    else if (refused instanceof Refused && refused.status === 401) onSignedOut()
    else lose()
  }
  const hear = () => {
    clearTimeout(silence)
    silence = setTimeout(lose, silenceMs)
  }
  const connect = () => {
    const opened = new EventSource("./api/events")
    source = opened
    hear()
    opened.addEventListener("open", () => {
      hear()
      take({ kind: "stream", value: "live", atMs: Date.now() })
    })
    opened.addEventListener("error", lose)
    opened.addEventListener("bye", lose)
    for (const kind of kinds) {
      opened.addEventListener(kind, (message) => {
        hear()
        take({ kind, value: JSON.parse((message as MessageEvent<string>).data) as never })
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
      clearTimeout(retry)
      clearTimeout(silence)
      source?.close()
    },
  }
}

/** A page in the background gets no frames, and must not let events pile up. */
function afterFrame(run: () => void): void {
  if (document.hidden) setTimeout(run, 250)
  else requestAnimationFrame(run)
}
