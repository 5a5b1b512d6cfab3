import { rm, writeFile } from "node:fs/promises"
import { Readable } from "node:stream"
import type { ClickHouseClient } from "@clickhouse/client"
import { singleDialect } from "./dialect.js"
import type { Dialect } from "./dialect.js"

export type QueryParams = Readonly<Record<string, string | number | readonly string[]>>

export interface StatementLimits {
  /** Bytes that one statement may take. */
  readonly memoryBytes: number
  /** Seconds after which a query is given up. */
  readonly querySeconds: number
}

/**
 * Statements through one client, whose current database is `database`. Every setting stands in the text of its statement:
 * given beside it, the embedded engine would keep it for all later statements of the connection.
 */
export class StoreClient {
  readonly database: string
  readonly dialect: Dialect
  readonly #client: ClickHouseClient
  readonly #limits: StatementLimits
  /** Where blocks for the embedded engine are put, a path that a number is appended to. */
  readonly #spool: string | undefined
  #spooled = 0

  constructor(
    client: ClickHouseClient,
    database: string,
    limits: StatementLimits,
    { spool, dialect = singleDialect(database) }: { readonly spool?: string; readonly dialect?: Dialect } = {},
  ) {
    this.#spool = spool
    this.dialect = dialect
    this.#client = client
    this.#limits = limits
    this.database = database
  }

  /** A statement without rows, such as DDL. */
  async command(statement: string): Promise<void> {
    await this.#client.command({ query: statement })
  }

  /** All rows of a SELECT. 64-bit integers come as decimal text. */
  async rows<Row>(select: string, params: QueryParams = {}): Promise<Row[]> {
    const settings = [
      "output_format_json_quote_64bit_integers = 1",
      `max_memory_usage = ${this.#limits.memoryBytes}`,
      `max_execution_time = ${this.#limits.querySeconds}`,
    ]
    const result = await this.#client.query({
      query: `${select} SETTINGS ${settings.join(", ")}`,
      query_params: { ...params },
      format: "JSONEachRow",
    })
    return result.json<Row>()
  }

  /**
   * Writes rows, each the text of a JSON array in the order of `columns`. The same token twice writes once, whatever the
   * rows: a caller that does not know whether an insert arrived sends it again.
   */
  async insert(table: string, columns: readonly string[], rows: readonly string[], token: string): Promise<void> {
    if (rows.length === 0) return
    await this.#write(
      `INSERT INTO ${table} (${columns.join(", ")}) SETTINGS ${this.#insertSettings(token)} FORMAT JSONCompactEachRow`,
      Readable.from([rows.join("\n")]),
    )
  }

  /** Writes one block of the Native format with exactly these columns; tokens as in `insert`. */
  async insertBlock(table: string, columns: readonly string[], block: Buffer, token: string): Promise<void> {
    const [names, settings] = [columns.join(", "), this.#insertSettings(token)]
    if (this.#spool === undefined) {
      await this.#write(`INSERT INTO ${table} (${names}) SETTINGS ${settings} FORMAT Native`, Readable.from([block]))
      return
    }
    // The embedded engine takes its input as text alone, but reads any file.
    const file = `${this.#spool}${(this.#spooled += 1)}`
    try {
      await writeFile(file, block, { mode: 0o600 })
      await this.#write(
        `INSERT INTO ${table} (${names}) SELECT ${names} FROM file(${quoted(file)}, 'Native') SETTINGS ${settings}`,
      )
    } finally {
      await rm(file, { force: true })
    }
  }

  #insertSettings(token: string): string {
    if (!/^[\w-]+$/.test(token)) throw new RangeError(`"${token}" cannot be an insert token`)
    return [
      "async_insert = 0",
      "insert_deduplicate = 1",
      "insert_select_deduplicate = 1",
      `insert_deduplication_token = '${token}'`,
      // Else the hourly sums would take a repeated insert again; not every server does it by itself.
      "deduplicate_blocks_in_dependent_materialized_views = 1",
      // One block, hence one part a partition: parallel parsing cuts the input every 10 MB.
      "input_format_parallel_parsing = 0",
      "max_insert_threads = 1",
      `max_memory_usage = ${this.#limits.memoryBytes}`,
      ...this.dialect.insertSettings,
    ].join(", ")
  }

  async #write(query: string, values?: Readable): Promise<void> {
    const { stream } = await this.#client.exec(values === undefined ? { query } : { query, values })
    // A result that nobody reads keeps its socket.
    stream.resume()
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`
}
