import { useEffect, useState } from "preact/hooks"
import { Refused, ask, signIn } from "../live/ask.js"
import { App } from "./app.js"
import { hrefOf, parseAddress } from "./route.js"
import { SignIn } from "./sign-in.js"

type Entry =
  | { readonly state: "asking" | "in" }
  | { readonly state: "out"; readonly said: string }
  | { readonly state: "away"; readonly said: string }

const retryMs = 2_000
const wrongToken = "The token in the address was not the right one: the link may be of another analyzer."
const restarted = "The analyzer was started again, and its sessions ended: show the token once more."

/** Lets in whoever has the token, by the address or by hand, and forgets it at once. */
export function Door() {
  const [entry, setEntry] = useState<Entry>({ state: "asking" })
  const [tries, setTries] = useState(0)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const hadToken = parseAddress(location.hash).token !== undefined
    enter().then(
      () => setEntry({ state: "in" }),
      (thrown: unknown) => {
        const said = thrown instanceof Refused ? thrown.message : String(thrown)
        if (thrown instanceof Refused && thrown.status === 401)
          return setEntry({ state: "out", said: hadToken ? wrongToken : "" })
        setEntry({ state: thrown instanceof Refused && thrown.status === 0 ? "away" : "out", said })
        timer = setTimeout(() => setTries(tries + 1), retryMs)
      },
    )
    return () => clearTimeout(timer)
  }, [tries])
  useEffect(() => {
    // A link with a token that is opened in a page that is open already.
    const follow = () => {
      if (parseAddress(location.hash).token !== undefined) setTries((before) => before + 1)
    }
    addEventListener("hashchange", follow)
    return () => removeEventListener("hashchange", follow)
  }, [])
  if (entry.state === "in") return <App onSignedOut={() => setEntry({ state: "out", said: restarted })} />
  if (entry.state === "out") return <SignIn said={entry.said} onSignedIn={() => setEntry({ state: "in" })} />
  return (
    <main id="main">
      <p role="status">{entry.state === "away" ? entry.said : "Opening…"}</p>
    </main>
  )
}

/** The token leaves the address before anything else happens, and with it the history of the browser. */
async function enter(): Promise<void> {
  const { route, token } = parseAddress(location.hash)
  if (token === undefined) {
    await ask("session")
    return
  }
  history.replaceState(null, "", hrefOf(route))
  await signIn(token)
}
