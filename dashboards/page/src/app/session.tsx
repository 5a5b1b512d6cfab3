import { useEffect, useState } from "preact/hooks"
import { ApiError, getJson, signIn } from "../live/api.js"
import { App } from "./app.js"
import { hrefOf, parseAddress } from "./route.js"
import { SignIn } from "./sign-in.js"

type SessionState =
  { readonly name: "opening" | "signed-in" } | { readonly name: "signed-out" | "unreachable"; readonly message: string }

const retryMs = 2_000
const wrongToken = "The token in the address was not the right one: the link may be of another analyzer."
const restarted = "The analyzer was started again, and its sessions ended: show the token once more."

/** Signs in with the token of the address or of the form, and forgets it at once; then shows the page. */
export function Session() {
  const [session, setSession] = useState<SessionState>({ name: "opening" })
  const [tries, setTries] = useState(0)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const hadToken = parseAddress(location.hash).token !== undefined
    openSession().then(
      () => setSession({ name: "signed-in" }),
      (thrown: unknown) => {
        const message = thrown instanceof ApiError ? thrown.message : String(thrown)
        if (thrown instanceof ApiError && thrown.status === 401)
          return setSession({ name: "signed-out", message: hadToken ? wrongToken : "" })
        setSession({ name: thrown instanceof ApiError && thrown.status === 0 ? "unreachable" : "signed-out", message })
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
  if (session.name === "signed-in")
    return <App onSignedOut={() => setSession({ name: "signed-out", message: restarted })} />
  if (session.name === "signed-out")
    return <SignIn message={session.message} onSignedIn={() => setSession({ name: "signed-in" })} />
  return (
    <main id="main">
      <p role="status">{session.name === "unreachable" ? session.message : "Opening…"}</p>
    </main>
  )
}

/** The token leaves the address before anything else happens, and with it the history of the browser. */
async function openSession(): Promise<void> {
  const { route, token } = parseAddress(location.hash)
  if (token === undefined) {
    await getJson("session")
    return
  }
  history.replaceState(null, "", hrefOf(route))
  await signIn(token)
}
