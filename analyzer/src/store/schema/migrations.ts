import type { Dialect } from "../client/dialect.js"
import { connectionColumns, hostReportColumns, hostReportColumnsOfThree } from "./columns.js"
import { connections, couplings, findings, hostReports, incidents, metrics, outboundHourly } from "./tables.js"

/**
 * One step from a schema version to the next. Its statements are idempotent: a step that was cut off is simply run
 * again. Steps of a release are never edited; a change is a new one.
 */
export interface Migration {
  readonly version: number
  readonly name: string
  readonly statements: (dialect: Dialect) => readonly string[]
}

/** What a connection's rows share; the view takes everything else from the latest row. */
const identityColumns = ["host_id", "boot_id", "cookie"]
const laterColumns = connectionColumns.map(([name]) => name).filter((name) => !identityColumns.includes(name))

/** A closed row wins over every open one, and the kernel's totals over what a snapshot concluded. */
const connectionsCurrent = (dialect: Dialect, latestColumns: readonly string[]) =>
  dialect.createView(
    "connections_current",
    `SELECT ${identityColumns.join(", ")}, ${latestColumns.map((name, i) => `tupleElement(latest, ${i + 1}) AS ${name}`).join(", ")}
FROM (
  SELECT ${identityColumns.join(", ")}, argMax(tuple(${latestColumns.join(", ")}), (closed, observed_at, batch_at, seq)) AS latest
  FROM ${dialect.table("connections")}
  GROUP BY ${identityColumns.join(", ")}
)`,
  )

const newestOf = (dialect: Dialect, table: string, newest: string) =>
  dialect.createView(
    `${table}_current`,
    `SELECT * FROM ${dialect.table(table)} ORDER BY ${newest} DESC, version DESC LIMIT 1 BY id`,
  )

/**
 * Every row of a connection may come in any number of times: states of distinct values do not grow by it, and bytes count
 * from the one closing row.
 */
const outboundHourlyRows = (dialect: Dialect) =>
  dialect.createMaterializedView(
    "outbound_hourly_rows",
    "outbound_hourly",
    `SELECT toStartOfHour(batch_at) AS hour, host_id, host_name, container_id, uid, exe, outside,
  uniqState(boot_id, cookie) AS connections,
  uniqState(remote_address) AS addresses,
  uniqState(remote_address, remote_port) AS endpoints,
  sum(if(reason = 'closed', bytes_sent, 0)) AS bytes_sent,
  sum(if(reason = 'closed', bytes_received, 0)) AS bytes_received,
  max(toUInt32(greatest(0, dateDiff('second', opened_at, observed_at)))) AS longest_seconds
FROM ${dialect.stored("connections")}
WHERE initiator != 'remote'
GROUP BY hour, host_id, host_name, container_id, uid, exe, outside`,
  )

const laterThanOne = ["outside"]
const hostReportsOfTwo = {
  ...hostReports,
  columns: hostReportColumns.filter(([name]) => !hostReportColumnsOfThree.includes(name)),
}

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: "connections, findings, incidents",
    statements: (dialect) => [
      ...dialect.createTable({
        ...connections,
        columns: connectionColumns.filter(([name]) => !laterThanOne.includes(name)),
      }),
      connectionsCurrent(
        dialect,
        laterColumns.filter((name) => !laterThanOne.includes(name)),
      ),
      ...dialect.createTable(findings),
      newestOf(dialect, "findings", "detected_at"),
      ...dialect.createTable(incidents),
      newestOf(dialect, "incidents", "last_seen"),
    ],
  },
  {
    version: 2,
    name: "outside, couplings, host reports, metrics, hourly sums",
    statements: (dialect) => [
      ...dialect.addColumn("connections", "outside", "Bool"),
      connectionsCurrent(dialect, laterColumns),
      ...[couplings, hostReportsOfTwo, metrics, outboundHourly].flatMap((table) => dialect.createTable(table)),
      outboundHourlyRows(dialect),
    ],
  },
  {
    version: 3,
    name: "losses of groups and of descriptors",
    statements: (dialect) =>
      hostReportColumns
        .filter(([name]) => hostReportColumnsOfThree.includes(name))
        .flatMap(([name, type]) => dialect.addColumn("host_reports", name, type)),
  },
]
