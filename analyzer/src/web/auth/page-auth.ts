import { join } from "node:path"
import type { ServedConfig } from "../../config/load.js"
import { tokenIn } from "../../config/secrets.js"
import type { Token } from "../../config/secrets.js"
import { Access } from "./access.js"
import { Refusals } from "./refusals.js"

/** Who may read the page: its token, the sessions that were opened with it, and what was refused. */
export interface PageAuth {
  readonly token: Token
  readonly access: Access
  readonly refusals: Refusals
}

/** Reads or makes the token of the page. Throws AppError "config" for a file that cannot be used. */
export function pageAuth({ tokenFile, tls }: ServedConfig, state: string): PageAuth {
  const token = tokenIn("page.token_file", tokenFile, join(state, "page-token"))
  const monotonicMs = () => performance.now()
  return {
    token,
    access: new Access({ token: token.value, secure: tls !== undefined, monotonicMs }),
    refusals: new Refusals(),
  }
}
