import { useEffect, useRef, useState } from "preact/hooks"
import { FindingView } from "../finding/view.js"
import { Health } from "../health/view.js"
import { Incident } from "../incidents/detail.js"
import { Incidents } from "../incidents/list.js"
import { Live, Now } from "../live/hooks.js"
import { nothingYet } from "../live/state.js"
import { openStream } from "../live/stream.js"
import { Notice } from "../parts/notice.js"
import { OutboundView } from "../outbound/view.js"
import { Banner, Header } from "./header.js"
import { Keys } from "./keys.js"
import { parseAddress } from "./route.js"
import type { Route } from "./route.js"
import { listenForKeys } from "./shortcuts.js"

/** The page of somebody who is signed in. */
export function App({ onSignedOut }: { readonly onSignedOut: () => void }) {
  const live = useStream(onSignedOut)
  const nowMs = useClock()
  const route = useRoute()
  const [showsKeys, setShowsKeys] = useState(false)
  useEffect(() => listenForKeys(() => setShowsKeys(true)), [])
  const open = live.overview?.openIncidents ?? 0
  useEffect(() => {
    document.title = open > 0 ? `(${open}) Backflow` : "Backflow"
  }, [open])
  return (
    <Live.Provider value={live}>
      <Now.Provider value={nowMs}>
        <Header route={route} />
        <Banner />
        <Main route={route} nowMs={nowMs} />
        <p class="hidden" aria-live="polite">
          {live.announcement}
        </p>
        <footer class="quiet">
          <button type="button" class="inline" onClick={() => setShowsKeys(true)}>
            Keys
          </button>
        </footer>
        {showsKeys && <Keys onClose={() => setShowsKeys(false)} />}
      </Now.Provider>
    </Live.Provider>
  )
}

function Main({ route, nowMs }: { readonly route: Route; readonly nowMs: number }) {
  const main = useRef<HTMLElement>(null)
  const place = JSON.stringify(route)
  const [first] = useState(place)
  useEffect(() => {
    // Screen readers and keys go on from the new view; the first one leaves the focus where the browser put it.
    if (place !== first) main.current?.focus({ preventScroll: true })
    scrollTo(0, 0)
  }, [place])
  return (
    <main id="main" tabIndex={-1} ref={main}>
      {viewOf(route, nowMs)}
    </main>
  )
}

function viewOf(route: Route, nowMs: number) {
  switch (route.view) {
    case "incidents":
      return <Incidents />
    case "incident":
      return <Incident key={route.id} id={route.id} />
    case "finding":
      return <FindingView key={route.id} id={route.id} nowMs={nowMs} />
    case "outbound":
      return <OutboundView nowMs={nowMs} />
    case "health":
      return <Health />
    case "unknown":
      return (
        <Notice title="There is nothing at this address">
          <p>
            <a href="#/">Open incidents</a>
          </p>
        </Notice>
      )
  }
}

function useStream(onSignedOut: () => void) {
  const [live, setLive] = useState(nothingYet)
  useEffect(() => {
    const stream = openStream(onSignedOut)
    const end = stream.subscribe(() => setLive(stream.state()))
    return () => {
      end()
      stream.close()
    }
  }, [])
  return live
}

function useClock(): number {
  const [nowMs, setNowMs] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  return nowMs
}

function useRoute(): Route {
  const [route, setRoute] = useState(() => parseAddress(location.hash).route)
  useEffect(() => {
    const follow = () => setRoute(parseAddress(location.hash).route)
    addEventListener("hashchange", follow)
    return () => removeEventListener("hashchange", follow)
  }, [])
  return route
}
