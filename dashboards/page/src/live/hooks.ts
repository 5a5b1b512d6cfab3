import { createContext } from "preact"
import { useContext, useEffect, useState } from "preact/hooks"
import { Refused, ask } from "./ask.js"
import { nothingYet } from "./state.js"
import type { LiveState } from "./state.js"

/** What the stream told; given to every view by the page. */
export const Live = createContext<LiveState>(nothingYet)

export const useLive = () => useContext(Live)

/** Clock of the page, milliseconds since the epoch, moved on every second. */
export const Now = createContext(0)

export const useNow = () => useContext(Now)

/** An answer that is under way, there, or not to be had. While another is asked for the last one stays. */
export interface Asked<Answer> {
  readonly answer: Answer | undefined
  readonly refused: Refused | undefined
  /** Whether `answer` and `refused` are about the path that is asked for now. */
  readonly isCurrent: boolean
}

/** Asks for `path`, and again whenever it or `version` changes. */
export function useAsked<Answer>(path: string, version: string | number): Asked<Answer> {
  const [asked, setAsked] = useState<Omit<Asked<Answer>, "isCurrent"> & { readonly path: string }>({
    path,
    answer: undefined,
    refused: undefined,
  })
  useEffect(() => {
    const gone = new AbortController()
    ask<Answer>(path, gone.signal).then(
      (answer) => {
        if (!gone.signal.aborted) setAsked({ path, answer, refused: undefined })
      },
      (thrown: unknown) => {
        if (gone.signal.aborted || !(thrown instanceof Refused)) return
        setAsked((before) => ({ path, answer: before.path === path ? before.answer : undefined, refused: thrown }))
      },
    )
    return () => gone.abort()
  }, [path, version])
  return { answer: asked.answer, refused: asked.refused, isCurrent: asked.path === path }
}
