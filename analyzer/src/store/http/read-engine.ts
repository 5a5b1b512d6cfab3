import { openConnection } from "./engine.js"
import type { Answer, EngineConnection } from "./engine.js"
import { refusals } from "./exception.js"
import { helloBlock, isHello } from "./hello.js"
import type { SqlRequest } from "./request.js"
import { forbiddenFunctions, requireReading } from "./statement.js"
import type { Forbidden } from "./statement.js"

export interface ReadLimits {
  /** Bytes that one query may take while it runs. */
  readonly memoryBytes: number
  /** Bytes of one answer, which stands in memory whole. */
  readonly answerBytes: number
  readonly querySeconds: number
  /** Queries at once; others wait. The engine shares four threads of this process with every file that it writes. */
  readonly concurrent: number
  /** Queries that wait, beyond which one is refused. */
  readonly waiting: number
}

/** Settings that change how an answer looks or make a query give up earlier; no other can be changed by a reader. */
const changeable = new Set([
  "output_format_json_quote_64bit_integers",
  "output_format_json_quote_64bit_floats",
  "output_format_json_quote_denormals",
  "output_format_json_quote_decimals",
  "output_format_json_escape_forward_slashes",
  "output_format_json_named_tuples_as_objects",
  "output_format_decimal_trailing_zeros",
  "output_format_native_encode_types_in_binary_format",
  "date_time_output_format",
  "session_timezone",
  "join_use_nulls",
  "max_block_size",
  "max_threads",
])
/** Sent by clients on their own; this program has its own limits, which are kept. */
const ignored = new Set([
  "max_execution_time",
  "max_memory_usage",
  "max_result_rows",
  "max_result_bytes",
  "result_overflow_mode",
  "readonly",
  "log_comment",
  "log_queries",
  "connect_timeout",
  "receive_timeout",
  "send_timeout",
])

/** Answers queries over the store of this process, each on a connection of its own that cannot write. */
export class ReadEngine {
  readonly #folder: string
  readonly #database: string
  readonly #limits: ReadLimits
  #forbidden: Forbidden = () => true
  #version = ""
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(folder: string, database: string, limits: ReadLimits) {
    this.#folder = folder
    this.#database = database
    this.#limits = limits
  }

  get version(): string {
    return this.#version
  }

  async start(): Promise<void> {
    const connection = this.#open({})
    try {
      const names = await connection.run("SELECT name FROM system.table_functions", {}, "TabSeparatedRaw")
      this.#forbidden = forbiddenFunctions(names.bytes.toString("utf8").trim().split("\n"))
      this.#version = (await connection.run("SELECT version()", {}, "TabSeparatedRaw")).bytes.toString("utf8").trim()
    } finally {
      connection.close()
    }
  }

  async run(request: SqlRequest): Promise<Answer> {
    const settings = settingsOf(request)
    // A client's own default, which the embedded engine has as an empty database.
    const database = request.database === undefined || request.database === "default" ? this.#database : request.database // prettier-ignore
    if (![this.#database, "system", "information_schema", "INFORMATION_SCHEMA"].includes(database))
      throw refusals.database(database)
    if (isHello(request)) return helloBlock(this.#version, request.protocol)
    await this.#turn()
    const connection = this.#open(settings)
    try {
      const form = { statement: request.query }
      const formatted = await connection.run("SELECT formatQuerySingleLine({statement:String})", escaped(form), "TabSeparatedRaw") // prettier-ignore
      // What is checked is what is run.
      const statement = formatted.bytes.toString("utf8").replace(/\n$/, "")
      requireReading(statement, this.#forbidden)
      await connection.run(`USE ${database}`, {}, "Null")
      return await connection.run(statement, request.parameters, request.format)
    } finally {
      connection.close()
      this.#done()
    }
  }

  #open(settings: Readonly<Record<string, string>>): EngineConnection {
    return openConnection(this.#folder, {
      ...settings,
      max_memory_usage: this.#limits.memoryBytes,
      max_execution_time: this.#limits.querySeconds,
      max_result_bytes: this.#limits.answerBytes,
      result_overflow_mode: "throw",
      allow_ddl: 0,
      // Last: no setting can be changed once it holds.
      readonly: 1,
    })
  }

  async #turn(): Promise<void> {
    if (this.#running < this.#limits.concurrent) {
      this.#running += 1
      return
    }
    if (this.#waiting.length >= this.#limits.waiting) throw refusals.tooMany()
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  /** The turn passes to the next that waits. */
  #done(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running -= 1
    else next()
  }
}

function settingsOf({ settings }: SqlRequest): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(settings)) {
    if (ignored.has(name)) continue
    if (!changeable.has(name)) throw refusals.readonly(`Cannot modify '${name}' setting in readonly mode.`)
    if (!/^[\w/+.-]{0,64}$/.test(value)) throw refusals.arguments(`'${value}' is no value of ${name}.`)
    kept[name] = value
  }
  return kept
}

/** As a client would send them. */
function escaped(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, text]) => [name, text.replaceAll("\\", "\\\\")]))
}
