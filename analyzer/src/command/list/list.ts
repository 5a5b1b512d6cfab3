import { existsSync } from "node:fs"
import { join } from "node:path"
import { findingClasses } from "../../domain/finding-classes.js"
import { severities } from "../../domain/severity.js"
import type { Config } from "../../config/load.js"
import type { FindingJson, IncidentJson } from "../../documents/finding-json.js"
import { findingText } from "../../documents/finding-text.js"
import { openConfiguredStore } from "../../store/from-config.js"
import type { ConnectionJson, Filter } from "../../store/read/queries.js"
import { ask, askRunning, maxRows } from "../../store/read/query-server.js"
import type { List } from "../../store/read/query-server.js"
import { holderOf, takeStateFolder } from "../../store/state-folder.js"
import { usage } from "../cli/arguments.js"
import type { Arguments } from "../cli/arguments.js"
import { connectionText, incidentText } from "./list-text.js"
import type { Terminal } from "../cli/terminal.js"
import { parseTime } from "../../text/rfc3339.js"
import type { Microseconds } from "../../domain/identity.js"

/** `backflow findings`, `incidents` and `connections`. */
export async function list(which: List, args: Arguments, config: Config, terminal: Terminal): Promise<void> {
  const rows = await rowsOf(which, config, filterOf(args, terminal.nowUs()))
  if (args.switches.has("json")) {
    for (const row of rows) terminal.out(`${JSON.stringify(row)}\n`)
    return
  }
  // The newest stands at the end, above the prompt.
  for (const row of [...rows].reverse()) terminal.out(textOf(which, row, terminal.colour))
  if (rows.length === 0) terminal.note(`No ${which} match.`)
}

async function rowsOf(which: List, config: Config, filter: Filter): Promise<readonly unknown[]> {
  if (config.store.url === undefined) {
    if (holderOf(config.state) !== undefined) return askRunning(config.state, which, filter)
    // A query must not create a store where there is none.
    if (!existsSync(join(config.state, "store"))) return []
  }
  const folder = config.store.url === undefined ? takeStateFolder(config.state) : undefined
  try {
    const store = await openConfiguredStore(config)
    try {
      return await ask(store.queries, which, filter)
    } finally {
      await store.close()
    }
  } finally {
    folder?.release()
  }
}

function textOf(which: List, row: unknown, colour: boolean): string {
  // The rows of each list have the form that its query gives them.
  if (which === "findings")
    return `${(row as FindingJson).detected_at.slice(0, 10)} ${findingText(row as FindingJson, "full", colour)}`
  return which === "incidents" ? incidentText(row as IncidentJson) : connectionText(row as ConnectionJson)
}

function filterOf({ command, values, switches }: Arguments, nowUs: number): Filter {
  const limit = values["limit"] === undefined ? 100 : Number(values["limit"])
  if (!Number.isInteger(limit) || limit < 1 || limit > maxRows) {
    throw usage(command, `--limit takes a whole number from 1 to ${maxRows}, not "${values["limit"] ?? ""}".`)
  }
  const severity = oneOf(severities, values["severity"])
  const findingClass = oneOf(findingClasses, values["class"])
  if (severity === null)
    throw usage(command, `--severity takes ${severities.join(", ")}, not "${values["severity"] ?? ""}".`)
  if (findingClass === null)
    throw usage(command, `--class takes ${findingClasses.join(", ")}, not "${values["class"] ?? ""}".`)
  const since = values["since"]
  const sinceUs = since === undefined ? undefined : parseSince(since, nowUs)
  if (since !== undefined && sinceUs === undefined) {
    throw usage(command, `--since takes a span such as 2h or a moment such as 2026-11-23T06:00Z, not "${since}".`)
  }
  return {
    limit,
    open: switches.has("open"),
    ...(severity === undefined ? {} : { severity }),
    ...(findingClass === undefined ? {} : { class: findingClass }),
    ...(sinceUs === undefined ? {} : { sinceUs }),
  }
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3_600, d: 86_400, w: 604_800 }

/** Reads "90s", "15min", "2h", "3d", "1w", or an RFC 3339 moment; undefined when it is neither. */
function parseSince(text: string, nowUs: Microseconds): Microseconds | undefined {
  const match = /^(\d{1,6})(s|m|min|h|d|w)$/.exec(text)
  if (match === null) return /^\d{4}-\d\d-\d\d$/.test(text) ? parseTime(`${text}T00:00Z`) : parseTime(text)
  return nowUs - Number(match[1]) * (secondsOf[match[2] ?? "s"] ?? 1) * 1_000_000
}

/** The value when it is one of `known`, undefined when none was given, null when it is another. */
function oneOf<Value extends string>(known: readonly Value[], text: string | undefined): Value | undefined | null {
  return text === undefined ? undefined : (known.find((value) => value === text) ?? null)
}
