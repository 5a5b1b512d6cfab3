import { ClickHouseLogLevel, createClient } from "@clickhouse/client"
import type { ClickHouseClient } from "@clickhouse/client"
import { createRequire } from "node:module"
import { AppError, messageOf } from "../../errors.js"
import { clusterDialect, singleDialect } from "./dialect.js"
import { StoreClient } from "./store-client.js"
import type { StatementLimits } from "./store-client.js"

/** Where rows go: a folder for the engine in this process, or a server. */
export type StoreTarget =
  | { readonly kind: "embedded"; readonly folder: string }
  | {
      readonly kind: "server"
      readonly url: string
      readonly username: string
      readonly password: string
      /** PEM of the authority that signed the server's certificate, where it is not a public one. */
      readonly ca?: Buffer | undefined
      /** Name of the cluster that every table is made on; one server when undefined. */
      readonly cluster?: string | undefined
    }

export interface StoreClients {
  /** Inserts and DDL. */
  readonly writer: StoreClient
  /** Queries. Apart from the writer, because the engine runs one statement of a connection at a time. */
  readonly reader: StoreClient
}

/** Both clients on an existing or new database. Throws "store-unreachable" when there is no engine to talk to. */
export async function connect(target: StoreTarget, database: string, limits: StatementLimits): Promise<StoreClients> {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(database)) throw new RangeError(`"${database}" is not a database name`)
  const cluster = target.kind === "server" ? target.cluster : undefined
  if (cluster !== undefined && !/^[\w.-]+$/.test(cluster)) throw new RangeError(`"${cluster}" is not a cluster name`)
  const dialect = cluster === undefined ? singleDialect(database) : clusterDialect(database, cluster)
  try {
    if (target.kind === "server") {
      const bootstrap = serverClient(target, undefined)
      try {
        if (!(await hasDatabase(bootstrap, database))) await bootstrap.command({ query: dialect.createDatabase() })
      } finally {
        await bootstrap.close()
      }
      return {
        writer: new StoreClient(serverClient(target, database), database, limits, { dialect }),
        reader: new StoreClient(serverClient(target, database), database, limits, { dialect }),
      }
    }
    const [writer, reader] = [embeddedClient(target.folder), embeddedClient(target.folder)]
    await writer.command({ query: dialect.createDatabase() })
    // Kept by the engine for as long as the connection lives.
    for (const client of [writer, reader]) await client.command({ query: `USE ${database}` })
    return {
      writer: new StoreClient(writer, database, limits, { spool: `${target.folder}-insert-` }),
      reader: new StoreClient(reader, database, limits),
    }
  } catch (thrown) {
    throw unreachable(target, thrown)
  }
}

/** A cluster carries out no DDL while one of its servers is away, so none is sent without need. */
async function hasDatabase(client: ClickHouseClient, database: string): Promise<boolean> {
  const found = await client.query({
    query: "SELECT name FROM system.databases WHERE name = {database:String}",
    query_params: { database },
    format: "JSONEachRow",
  })
  return (await found.json()).length > 0
}

function serverClient(target: StoreTarget & { kind: "server" }, database: string | undefined): ClickHouseClient {
  return createClient({
    url: target.url,
    username: target.username,
    password: target.password,
    ...(database === undefined ? {} : { database }),
    ...(target.ca === undefined ? {} : { tls: { ca_cert: target.ca } }),
    // Below the server's own keep_alive_timeout (10 s by default), or a reused socket is reset under a request.
    keep_alive: { enabled: true, idle_socket_ttl: 2_500, eagerly_destroy_stale_sockets: true },
    compression: { request: true, response: true },
    request_timeout: 60_000,
    // It would print every failure with the whole statement; failures come back as errors anyhow.
    log: { level: ClickHouseLogLevel.OFF },
  })
}

type ClientConnection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>["connection"]>

function embeddedClient(folder: string): ClickHouseClient {
  // Loaded here alone: the engine takes 150 MB, which a client of a server need not spend.
  const { createChdbConnection } = createRequire(import.meta.url)("chdb/connection") as typeof import("chdb/connection")
  // chdb is typed against the client's former package of shared types; the shapes are equal at the pinned versions.
  return createClient({ connection: createChdbConnection({ path: folder }) as unknown as ClientConnection })
}

function unreachable(target: StoreTarget, thrown: unknown): AppError {
  if (target.kind === "server") {
    return new AppError(
      "store-unreachable",
      `The ClickHouse server at ${new URL(target.url).origin} cannot be used: ${messageOf(thrown)}.`,
      "Check store.url, store.username, store.password_file and store.ca_file, and that the server is up.",
      { cause: thrown },
    )
  }
  return new AppError(
    "store-unreachable",
    `The embedded store in ${target.folder} cannot be opened: ${messageOf(thrown)}.`,
    "Check that no other process uses the folder, that it can be written, and that the disk has room.",
    { cause: thrown },
  )
}
