import { createRequire } from "node:module"

/** What one statement gave. */
export interface Answer {
  readonly bytes: Buffer
  readonly format: string
  readonly rowsRead: number
  readonly bytesRead: number
  readonly elapsedSeconds: number
}

/** A connection of the embedded engine, which has settings and a current database of its own. */
export interface EngineConnection {
  /** Parameters are texts in the escaped form of ClickHouse's HTTP interface. */
  run(statement: string, parameters: Readonly<Record<string, string>>, format: string): Promise<Answer>
  close(): void
}

/**
 * One more connection to the engine in this process, whose data folder may be open already; takes 0.1 ms. `settings` hold
 * from before the first statement.
 */
export function openConnection(folder: string, settings: Readonly<Record<string, string | number>>): EngineConnection {
  // Loaded here alone: the engine takes 150 MB.
  const { Session } = createRequire(import.meta.url)("chdb") as typeof import("chdb")
  const session = new Session(folder, {
    connectionArgs: Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
  })
  return {
    async run(statement, parameters, format) {
      const bound = Object.fromEntries(
        Object.entries(parameters).map(([name, text]) => [name, bindable(statement, name, text)]),
      )
      const result = await (Object.keys(bound).length === 0
        ? session.queryAsync(statement, { format })
        : session.queryBindAsync(statement, bound, { format }))
      const bytes = result.bytes()
      return {
        bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        format: /\bFORMAT (\w+)\s*$/i.exec(statement)?.[1] ?? format,
        rowsRead: result.rowsRead,
        bytesRead: result.bytesRead,
        elapsedSeconds: result.elapsed,
      }
    },
    close: () => session.close(),
  }
}

const escapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", "0": "\0" }

/** The binding escapes text itself; lists have their own quotes and stay. */
function bindable(statement: string, name: string, text: string): string {
  const type = new RegExp(`\\{\\s*${name}\\s*:\\s*(\\w+)`).exec(statement)?.[1] ?? ""
  if (/^(Array|Tuple|Map)$/i.test(type)) return text
  return text.replace(/\\(.)/gs, (_all, character: string) => escapes[character] ?? character)
}
