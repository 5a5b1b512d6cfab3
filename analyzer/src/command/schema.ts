import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Config } from "../config/load.js"
import { AppError } from "../errors.js"
import { connect } from "../store/client/connect.js"
import { clusterDialect, singleDialect } from "../store/client/dialect.js"
import { schemaState, schemaStatements } from "../store/schema/drift.js"
import type { SchemaState } from "../store/schema/drift.js"
import { storeOptions } from "../store/from-config.js"
import { migrate } from "../store/schema/migrate.js"
import { applyRetention } from "../store/schema/retention.js"
import type { StoreClient } from "../store/client/store-client.js"
import { takeStateFolder } from "../store/state-folder.js"
import { usage } from "./cli/arguments.js"
import type { Arguments } from "./cli/arguments.js"
import { exitCodes } from "./cli/exit-codes.js"
import type { Terminal } from "./cli/terminal.js"

/** `backflow schema print|apply|check`; the exit code. */
export async function schemaCommand(args: Arguments, config: Config, terminal: Terminal): Promise<number> {
  const [what] = args.operands
  switch (what) {
    case "print":
      terminal.out(printed(config))
      return exitCodes.ok.code
    case "apply":
      return withSession(config, true, (session) => apply(session, config, terminal))
    case "check":
      return withSession(config, false, (session) => check(session, args, terminal))
    default:
      throw usage(args.command, `backflow schema takes print, apply or check, not "${what ?? ""}".`)
  }
}

/** SQL for clickhouse-client. Needs no store: the cluster is only named. */
function printed({ store }: Config): string {
  const { cluster, database } = store
  const dialect = cluster === undefined ? singleDialect(database) : clusterDialect(database, cluster)
  const [create = "", ...rest] = schemaStatements(dialect)
  // The statements of a single engine name tables of the current database.
  const use = cluster === undefined ? [`USE ${database}`] : []
  return [create, ...use, ...rest].map((statement) => `${statement};\n`).join("\n")
}

async function apply(session: StoreClient, config: Config, terminal: Terminal): Promise<number> {
  const { pending } = await schemaState(session)
  await migrate(session)
  await applyRetention(session, storeOptions(config).retention)
  const { present, differences } = await schemaState(session)
  for (const step of pending) terminal.out(`applied ${step}\n`)
  if (pending.length === 0) terminal.out(`nothing to apply: the schema has version ${present} already\n`)
  return reportDifferences(differences, terminal)
}

async function check(session: StoreClient, { switches }: Arguments, terminal: Terminal): Promise<number> {
  const state = await schemaState(session)
  if (switches.has("json")) terminal.out(`${JSON.stringify(state)}\n`)
  else terminal.out(`schema version ${state.present}, this release knows ${state.known}\n`)
  if (state.present > state.known) {
    throw new AppError(
      "store-newer",
      `The store has schema version ${state.present}, and this release knows versions up to ${state.known}`,
      "Use the newer release that wrote it, or another --state folder or database.",
    )
  }
  if (switches.has("json")) return codeOf(state)
  for (const step of state.pending) terminal.out(`to be applied: ${step}\n`)
  if (state.pending.length > 0)
    terminal.note("The analyzer applies them when it starts, or do it now: backflow schema apply")
  reportDifferences(state.differences, terminal)
  return codeOf(state)
}

function codeOf({ pending, differences }: SchemaState): number {
  return pending.length + differences.length > 0 ? exitCodes["schema-differs"].code : exitCodes.ok.code
}

function reportDifferences(differences: readonly string[], terminal: Terminal): number {
  for (const difference of differences) terminal.out(`${difference}\n`)
  if (differences.length === 0) return exitCodes.ok.code
  terminal.note("These tables were changed by hand. Compare with: backflow schema print")
  return exitCodes["schema-differs"].code
}

/** The embedded store is one process's at a time, and a check must not create one where there is none. */
async function withSession(
  config: Config,
  makes: boolean,
  run: (session: StoreClient) => Promise<number>,
): Promise<number> {
  const { target, database, limits } = storeOptions(config)
  if (target.kind === "embedded" && !makes && !existsSync(target.folder)) {
    throw new AppError(
      "store-unreachable",
      `There is no store in ${join(config.state, "store")} yet`,
      "Start the analyzer once, or create it: backflow schema apply",
    )
  }
  const folder = target.kind === "embedded" ? takeStateFolder(config.state) : undefined
  try {
    const { writer, reader } = await connect(target, database, limits)
    try {
      return await run(writer)
    } finally {
      await Promise.all([writer.close(), reader.close()])
    }
  } finally {
    folder?.release()
  }
}
