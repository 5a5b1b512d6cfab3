import { createContext } from "preact"
import { useContext, useEffect, useState } from "preact/hooks"
import { ApiError, getJson } from "./api.js"
import { nothingYet } from "./state.js"
import type { LiveState } from "./state.js"

/** What the stream sent; given to every view by the page. */
export const Live = createContext<LiveState>(nothingYet)

export const useLive = () => useContext(Live)

/** Clock of the page, milliseconds since the epoch, moved on every second. */
export const Now = createContext(0)

export const useNow = () => useContext(Now)

/** A body that is loading, there, or not to be had. While another is loading the last one stays. */
export interface Resource<Body> {
  readonly body: Body | undefined
  readonly error: ApiError | undefined
  /** Whether `body` and `error` are about the path that is requested now. */
  readonly isCurrent: boolean
}

/** Requests `path`, and again whenever it or `version` changes. */
export function useResource<Body>(path: string, version: string | number): Resource<Body> {
  const [latest, setLatest] = useState<Omit<Resource<Body>, "isCurrent"> & { readonly path: string }>({
    path,
    body: undefined,
    error: undefined,
  })
  useEffect(() => {
    const abort = new AbortController()
    getJson<Body>(path, abort.signal).then(
      (body) => {
        if (!abort.signal.aborted) setLatest({ path, body, error: undefined })
      },
      (thrown: unknown) => {
        if (abort.signal.aborted || !(thrown instanceof ApiError)) return
        setLatest((before) => ({ path, body: before.path === path ? before.body : undefined, error: thrown }))
      },
    )
    return () => abort.abort()
  }, [path, version])
  return { body: latest.body, error: latest.error, isCurrent: latest.path === path }
}
