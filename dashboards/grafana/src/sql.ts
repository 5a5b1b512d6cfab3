/**
 * Parts that several statements share. `$__…` are macros of the data source plugin, `${…}` variables of the dashboard;
 * a condition on a variable that stands at "All", or empty, is replaced by 1=1.
 */

const oneOf = (column: string, variable: string) =>
  `$__conditionalAll(${column} IN (\${${variable}:singlequote}), $${variable})`

export const hostFilter = oneOf("host_id", "host")
export const classFilter = oneOf("class", "class")
/** Queries name the column `level`, because `severity` is the text of it there. */
export const levelFilter = oneOf("level", "severity")
export const containerFilter = oneOf("container_id", "container")
export const userFilter = oneOf("toString(uid)", "uid")
export const exeFilter = oneOf("exe", "exe")

/** A text box: what is no UUID selects nothing. */
export const findingFilter = "$__conditionalAll(id = toUUIDOrNull(${finding:singlequote}), $finding)"
const isFindingNamed = "notEmpty(${finding:singlequote})"

/** What identifies a connection. */
export const connectionKey = "host_id, boot_id, cookie"

/** v4-mapped addresses without their prefix. */
export const addressText = (column: string) => `replaceRegexpOne(toString(${column}), '^::ffff:(\\\\d+\\\\.)', '\\\\1')`

/** "203.0.113.9:443", "[2001:db8::1]:443", and nothing for a finding without a connection. */
export const endpointText = (address: string, port: string) =>
  `multiIf(${port} = 0, '', isIPv4String(${addressText(address)}), concat(${addressText(address)}, ':', toString(${port})), concat('[', ${addressText(address)}, ']:', toString(${port})))`

/** Opened by this host, or not known to have been opened by the other side: what `outbound_hourly` counts. */
export const opensOut = "initiator != 'remote'"

/**
 * The last version of each finding that was known at the end of the range, for the chosen hosts and classes. Neither
 * changes from version to version, so both can be filtered before versions are compared.
 */
export const latestFindings = (columns: string, where = "1=1") => `(
  SELECT ${columns}
  FROM findings
  WHERE first_detected_at <= $__toTime AND ${hostFilter} AND ${classFilter} AND ${where}
  ORDER BY detected_at DESC, version DESC
  LIMIT 1 BY id
)`

/** For dashboards that have no variable for the class. */
export const withoutClassFilter = (sql: string) => sql.replaceAll(` AND ${classFilter}`, "")

/** Seen within the range, or still there. The finding that was named is shown whatever the range is. */
export const seenInRange = `(${isFindingNamed} OR still_open OR last_seen >= $__fromTime)`

/** The last version of each incident, for the chosen hosts. */
export const latestIncidents = `(
  SELECT id, severity AS level, status, host_name, identity, summary, first_seen, last_seen, findings
  FROM incidents
  WHERE first_seen <= $__toTime AND ${hostFilter}
  ORDER BY last_seen DESC, version DESC
  LIMIT 1 BY id
)`

/**
 * How long before the range running totals are read, so that what they stood at is known. A total that had no reading
 * in that time counts from 0: too much may be shown, never too little.
 */
export const lookBack = "INTERVAL 10 MINUTE"

/** Increase of running totals between one bucket of time and the next, of each series by itself. */
export const increaseOf = (total: string, series: string) =>
  `greatest(0, ${total} - lagInFrame(${total}, 1, 0) OVER (PARTITION BY ${series} ORDER BY time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW))`

/** The bucket in which the range begins counts. */
export const bucketInRange = "time > $__fromTime - INTERVAL $__interval_s SECOND"
