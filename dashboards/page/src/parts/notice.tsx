import type { ComponentChildren } from "preact"
import type { ApiError } from "../live/api.js"

/** What stands where there is nothing to show: never a blank. */
export function Notice({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <section class="notice">
      <h2>{title}</h2>
      {children}
    </section>
  )
}

/** What could not be had, and what happens next. */
export function Failure({ error, what }: { readonly error: ApiError; readonly what: string }) {
  const isGone = error.status === 404
  return (
    <Notice title={isGone ? `There is no such ${what}` : `The ${what} cannot be shown now`}>
      <p>{error.message}</p>
      {isGone ? (
        <p>
          It may be older than what the store keeps. <a href="#/">Open incidents</a>
        </p>
      ) : (
        <p>Nothing is lost by it: what happens meanwhile is written and shown later.</p>
      )}
    </Notice>
  )
}

export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="quiet" role="status">
      Loading {what}…
    </p>
  )
}
