import type { ServedConfig } from "../../config/load.js"
import { Access } from "./access.js"
import { pageToken } from "./page-token.js"
import type { PageToken } from "./page-token.js"
import { Refusals } from "./refusals.js"

/** Who may read the page: its token, the sessions that were opened with it, and what was refused. */
export interface PageAuth {
  readonly token: PageToken
  readonly access: Access
  readonly refusals: Refusals
}

/** Reads or makes the token of the page. Throws AppError "config" for a file that cannot be used. */
export function pageAuth({ tokenFile, tls }: ServedConfig, state: string): PageAuth {
  const token = pageToken(state, tokenFile)
  const monotonicMs = () => performance.now()
  return {
    token,
    access: new Access({ token: token.value, secure: tls !== undefined, monotonicMs }),
    refusals: new Refusals(),
  }
}
