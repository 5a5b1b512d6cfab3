import type { Session } from "@backflow/analyzer/store/client/store-client"

export interface Bulk {
  /** Records of connections; a third as many connections. */
  readonly connections: number
  readonly hosts: number
  readonly findings: number
  /** Over which everything is spread. */
  readonly days: number
  /** Seconds since the Unix epoch. */
  readonly end: number
}

/**
 * Fills the tables inside the engine, in proportion: hosts report every 10 s, the analyzer counts every 15 s, three in a
 * hundred connections are long-lived, and findings have three versions and curves of 100 points.
 */
export async function fill(session: Session, bulk: Bulk): Promise<void> {
  for (const statement of statements(bulk)) await session.command(statement)
}

/** Rows of connections that one statement makes: bounds its memory. */
const step = 1_000_000

const outsideAddress = (seed: string) => `toIPv6(IPv4NumToString(toUInt32(toUInt32(3405803776) + ${seed})))`
const insideAddress = (seed: string) => `toIPv6(IPv4NumToString(toUInt32(toUInt32(167772160) + ${seed})))`

function statements({ connections, hosts, findings, days, end }: Bulk): string[] {
  const seconds = days * 86_400
  const spread = (number: string, count: number) =>
    `fromUnixTimestamp64Micro(toInt64((${end - seconds} + ${number} * ${seconds} / ${count}) * 1000000), 'UTC')`
  const host = (seed: string) => `concat('h', toString(${seed} % ${hosts}))`
  const boot = "'3b1c8f5e-1d2a-4c3b-9e8f-0a1b2c3d4e5f'"
  const parts: string[] = []
  for (let from = 0; from < connections; from += step) {
    parts.push(`INSERT INTO connections (host_id, boot_id, cookie, host_name, instance, seq, batch_at, reason, closed, protocol, initiator, netns,
  remote_address, remote_port, opened_at, observed_at, last_moved_at, bytes_sent, bytes_received, established, pid, exe, uid, container_id,
  remote_led_answered, local_led_answered, outside)
SELECT ${host("connection")}, ${boot}, connection, ${host("connection")}, 'i', number, at, if(number % 3 = 0, 'opened', if(number % 3 = 1, 'moved', 'closed')),
  if(number % 3 = 2 AND connection % 97 > 0, 'closed', 'open'), 'tcp', if(connection % 13 = 0, 'remote', 'local'), 1,
  if(is_outside, ${outsideAddress("connection % 5003")}, ${insideAddress("connection % 997")}), if(connection % 1009 = 0, 3333, 443), at - toIntervalSecond(age), at, at,
  age * 50, age * 90, 1, connection % 30000, concat('/usr/bin/program-', toString(connection % 53)), connection % 7, if(connection % 3 = 0, '', concat('c', toString(connection % 200))),
  connection % 5, connection % 4, is_outside
FROM (
  SELECT number, intDiv(number, 3) AS connection, ${spread("number", connections)} AS at, connection % 10 < 7 AS is_outside,
    if(connection % 33 = 0, 600 + cityHash64(connection) % 172800, cityHash64(connection) % 300) AS age
  FROM numbers(${from}, ${Math.min(step, connections - from)})
)
SETTINGS async_insert = 0, max_partitions_per_insert_block = 1000`)
  }
  const reports = hosts * days * 8_640
  return [
    ...parts,
    `INSERT INTO host_reports (host_id, boot_id, instance, host_name, at, kernel, collector_version, live_connections, processes, lost_ring_connection)
SELECT ${host("number")}, ${boot}, 'i', ${host("number")}, ${spread("number", reports)}, '6.18.0', '0.1.0', number % 300, number % 500, if(number % ${hosts} = 3, intDiv(number, 100000), 0)
FROM numbers(${reports}) SETTINGS async_insert = 0, max_partitions_per_insert_block = 1000`,
    `INSERT INTO metrics (at, source, name, labels, value)
SELECT fromUnixTimestamp64Milli(toInt64((${end - seconds} + 15 * intDiv(number, 60)) * 1000), 'UTC'), 'analyzer-1',
  ['backflow_batches_written_total', 'backflow_outbox_depth', 'backflow_findings_total', 'backflow_intake_messages', 'backflow_rejected_total', 'backflow_event_to_stored_seconds_sum', 'backflow_event_to_stored_seconds_count', 'backflow_collector_lost_total', 'backflow_outputs_waiting', 'backflow_build_info'][1 + number % 10],
  map('sink', concat('s', toString(intDiv(number % 60, 10)))), intDiv(number, 60)
FROM numbers(${days * 5_760 * 60}) SETTINGS async_insert = 0, max_partitions_per_insert_block = 1000`,
    `INSERT INTO findings (id, version, first_detected_at, detected_at, first_seen, last_seen, class, detector, severity, status, score, confidence, host_id, host_name,
  boot_id, pid, exe, uid, cookie, remote_address, remote_port, still_open, summary, document)
SELECT toUUID(concat('00000000-0000-5000-8000-', leftPad(toString(finding), 12, '0'))), version, first_at, first_at + toIntervalMinute(version), first_at, first_at + toIntervalMinute(version),
  ['reverse_tunnel', 'reverse_shell', 'long_lived_ssh', 'inverted_flow'][1 + finding % 4], 'd', 1 + finding % 5, if(version = 3 AND finding % 10 > 0, 'closed', 'open'), 0.9, 0.9,
  ${host("finding")}, ${host("finding")}, ${boot}, finding % 30000, '/usr/bin/ssh', 1000, finding, ${outsideAddress("finding % 503")}, 443, finding % 10 = 0, 'a finding of the benchmark',
  concat('{"evidence":[{"kind":"relay","text":"', repeat('x', 800), '","at":"2026-11-23T06:00:00Z","facts":{}}]}')
FROM (SELECT intDiv(number, 3) AS finding, 1 + number % 3 AS version, ${spread("finding", findings)} AS first_at FROM numbers(${3 * findings}))
SETTINGS async_insert = 0`,
    `INSERT INTO incidents (id, version, status, severity, score, host_id, host_name, identity, first_seen, last_seen, summary, findings)
SELECT toUUID(concat('00000000-0000-5000-8000-', leftPad(toString(incident), 12, '0'))), version, if(incident % 10 > 0, 'closed', 'open'), 3 + incident % 3, 0.9, ${host("incident")},
  ${host("incident")}, 'uid 1000', first_at, first_at + toIntervalMinute(version), 'an incident of the benchmark', []
FROM (SELECT intDiv(number, 3) AS incident, 1 + number % 3 AS version, ${spread("incident", Math.ceil(findings / 3))} AS first_at FROM numbers(${findings}))
SETTINGS async_insert = 0`,
    `INSERT INTO couplings (host_id, boot_id, cookie, edge_group, channel, at, opened, forward_in, forward_out, backward_in, backward_out)
SELECT ${host("finding")}, ${boot}, finding, '1', concat('127.0.0.1:', toString(8000 + finding % 20)), first_at + toIntervalSecond(2 * point), point, 1000 * point, 900 * point, 5000 * point, 5100 * point
FROM (SELECT intDiv(number, 100) AS finding, 1 + number % 100 AS point, ${spread("finding", findings)} AS first_at FROM numbers(${100 * findings}))
SETTINGS async_insert = 0, max_partitions_per_insert_block = 1000`,
  ]
}
