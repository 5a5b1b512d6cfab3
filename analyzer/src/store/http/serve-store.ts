import { join } from "node:path"
import type { ServedConfig } from "../../config/load.js"
import { tokenIn } from "../../config/secrets.js"
import { serveHttp } from "./http-interface.js"
import type { HttpInterface } from "./http-interface.js"
import { ReadEngine } from "./read-engine.js"
import type { ReadLimits } from "./read-engine.js"

export interface ServeStoreOptions {
  /** The state folder, whose embedded store this process holds open. */
  readonly state: string
  readonly database: string
  readonly serve: ServedConfig
  readonly limits: Pick<ReadLimits, "memoryBytes" | "querySeconds">
}

export interface ServedStore extends HttpInterface {
  /** Where its readers find the token. */
  readonly tokenFile: string
}

/** A statement is text; rows cannot be sent. */
const maxQueryBytes = 1_000_000
/** Of one answer: some 300,000 connection records as JSON. */
const maxAnswerBytes = 256_000_000
/** Of the four threads that the engine and every file of this process share, two stay free for what is written. */
const concurrent = 2
const waiting = 32

/**
 * Lets ClickHouse's HTTP clients (curl, drivers, Grafana's data source) read the embedded store that this process holds;
 * undefined when `serve.address` is none or "off". Every request but /ping shows the token, as password or as bearer.
 * Nothing can be written, and no file, process or network be reached through a query. Throws "config" for unusable
 * files and "address-in-use".
 */
export async function serveStore(options: ServeStoreOptions): Promise<ServedStore | undefined> {
  const { state, database, serve, limits } = options
  if (serve.address === undefined || serve.address === "off") return undefined
  const token = tokenIn("store.serve.token_file", serve.tokenFile, join(state, "store-token"))
  const engine = new ReadEngine(join(state, "store"), database, { ...limits, answerBytes: maxAnswerBytes, concurrent, waiting }) // prettier-ignore
  await engine.start()
  const served = await serveHttp({
    address: serve.address,
    tls: serve.tls,
    token: token.value,
    bodyBytes: maxQueryBytes,
    run: (request) => engine.run(request),
    version: () => engine.version,
  })
  return { ...served, tokenFile: token.file }
}
