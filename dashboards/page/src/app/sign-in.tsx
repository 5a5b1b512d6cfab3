import { useState } from "preact/hooks"
import { ApiError, signIn } from "../live/api.js"

/** A form for the token, which says where it is: processes of this machine must not read along. */
export function SignIn({ message, onSignedIn }: { readonly message: string; readonly onSignedIn: () => void }) {
  const [token, setToken] = useState("")
  const [error, setError] = useState(message)
  const submit = (event: Event) => {
    event.preventDefault()
    signIn(token.trim()).then(onSignedIn, (thrown: unknown) =>
      setError(thrown instanceof ApiError ? thrown.message : "The token was not taken."),
    )
  }
  return (
    <main id="main" class="sign-in">
      <h1>Backflow</h1>
      <p>
        This page shows who works inside from outside. Whoever is on that host could read it too, so it wants its token:
        it is in the file <code>page-token</code> in the state folder of the analyzer (<code>.backflow/page-token</code>{" "}
        unless <code>--state</code> said otherwise), or what <code>page.token_file</code> names.
      </p>
      <form onSubmit={submit}>
        <label>
          Token{" "}
          <input
            type="password"
            autocomplete="current-password"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>{" "}
        <button type="submit">Open</button>
      </form>
      {error !== "" && <p role="alert">{error}</p>}
    </main>
  )
}
