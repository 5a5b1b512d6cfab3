CREATE DATABASE IF NOT EXISTS backflow ON CLUSTER 'main';

CREATE TABLE IF NOT EXISTS backflow.connections_local ON CLUSTER 'main' (
  host_id LowCardinality(String),
  boot_id LowCardinality(String),
  cookie UInt64,
  host_name LowCardinality(String),
  instance LowCardinality(String),
  seq UInt64 CODEC(DoubleDelta, ZSTD(1)),
  batch_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  reason Enum8('opened' = 0, 'moved' = 1, 'closed' = 2, 'identified' = 3),
  closed Enum8('open' = 0, 'vanished' = 1, 'closed' = 2),
  protocol Enum8('tcp' = 6, 'udp' = 17),
  initiator Enum8('unknown' = 0, 'local' = 1, 'remote' = 2),
  netns UInt32,
  local_address IPv6 CODEC(ZSTD(1)),
  local_port UInt16,
  remote_address IPv6 CODEC(ZSTD(1)),
  remote_port UInt16,
  opened_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  observed_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  last_moved_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  bytes_sent UInt64 CODEC(T64, ZSTD(1)),
  bytes_received UInt64 CODEC(T64, ZSTD(1)),
  established Bool,
  older_than_collector Bool,
  ssh_local_ident Bool,
  ssh_remote_ident Bool,
  ssh_local_client Bool,
  ssh_remote_client Bool,
  pid UInt32,
  start_ns UInt64 CODEC(ZSTD(1)),
  exe LowCardinality(String),
  comm LowCardinality(String),
  argv Array(String) CODEC(ZSTD(1)),
  uid UInt32,
  container_id LowCardinality(String),
  remote_led UInt32,
  remote_led_answered UInt32,
  local_led UInt32,
  local_led_answered UInt32,
  local_reply_log2 UInt64 CODEC(T64, ZSTD(1)),
  remote_reply_log2 UInt64 CODEC(T64, ZSTD(1)),
  same_size_answers UInt32,
  strict_alternations UInt32,
  answer_bytes UInt64 CODEC(T64, ZSTD(1)),
  INDEX by_cookie cookie TYPE bloom_filter(0.01) GRANULARITY 2,
  INDEX by_remote remote_address TYPE bloom_filter(0.01) GRANULARITY 2
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/backflow/connections_local', '{replica}')
PARTITION BY toDate(batch_at)
ORDER BY (toStartOfFiveMinutes(batch_at), host_id, remote_address, remote_port, cookie)
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS backflow.connections ON CLUSTER 'main' AS backflow.connections_local
ENGINE = Distributed('main', 'backflow', 'connections_local', cityHash64(host_id));

CREATE OR REPLACE VIEW backflow.connections_current ON CLUSTER 'main' AS
SELECT host_id, boot_id, cookie, tupleElement(latest, 1) AS host_name, tupleElement(latest, 2) AS instance, tupleElement(latest, 3) AS seq, tupleElement(latest, 4) AS batch_at, tupleElement(latest, 5) AS reason, tupleElement(latest, 6) AS closed, tupleElement(latest, 7) AS protocol, tupleElement(latest, 8) AS initiator, tupleElement(latest, 9) AS netns, tupleElement(latest, 10) AS local_address, tupleElement(latest, 11) AS local_port, tupleElement(latest, 12) AS remote_address, tupleElement(latest, 13) AS remote_port, tupleElement(latest, 14) AS opened_at, tupleElement(latest, 15) AS observed_at, tupleElement(latest, 16) AS last_moved_at, tupleElement(latest, 17) AS bytes_sent, tupleElement(latest, 18) AS bytes_received, tupleElement(latest, 19) AS established, tupleElement(latest, 20) AS older_than_collector, tupleElement(latest, 21) AS ssh_local_ident, tupleElement(latest, 22) AS ssh_remote_ident, tupleElement(latest, 23) AS ssh_local_client, tupleElement(latest, 24) AS ssh_remote_client, tupleElement(latest, 25) AS pid, tupleElement(latest, 26) AS start_ns, tupleElement(latest, 27) AS exe, tupleElement(latest, 28) AS comm, tupleElement(latest, 29) AS argv, tupleElement(latest, 30) AS uid, tupleElement(latest, 31) AS container_id, tupleElement(latest, 32) AS remote_led, tupleElement(latest, 33) AS remote_led_answered, tupleElement(latest, 34) AS local_led, tupleElement(latest, 35) AS local_led_answered, tupleElement(latest, 36) AS local_reply_log2, tupleElement(latest, 37) AS remote_reply_log2, tupleElement(latest, 38) AS same_size_answers, tupleElement(latest, 39) AS strict_alternations, tupleElement(latest, 40) AS answer_bytes
FROM (
  SELECT host_id, boot_id, cookie, argMax(tuple(host_name, instance, seq, batch_at, reason, closed, protocol, initiator, netns, local_address, local_port, remote_address, remote_port, opened_at, observed_at, last_moved_at, bytes_sent, bytes_received, established, older_than_collector, ssh_local_ident, ssh_remote_ident, ssh_local_client, ssh_remote_client, pid, start_ns, exe, comm, argv, uid, container_id, remote_led, remote_led_answered, local_led, local_led_answered, local_reply_log2, remote_reply_log2, same_size_answers, strict_alternations, answer_bytes), (closed, observed_at, batch_at, seq)) AS latest
  FROM backflow.connections
  GROUP BY host_id, boot_id, cookie
);

CREATE TABLE IF NOT EXISTS backflow.findings_local ON CLUSTER 'main' (
  id UUID,
  version UInt32,
  first_detected_at DateTime64(6, 'UTC'),
  detected_at DateTime64(6, 'UTC'),
  first_seen DateTime64(6, 'UTC'),
  last_seen DateTime64(6, 'UTC'),
  class LowCardinality(String),
  detector LowCardinality(String),
  severity Enum8('info' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5),
  status LowCardinality(String),
  score Float64,
  confidence Float64,
  host_id LowCardinality(String),
  host_name LowCardinality(String),
  boot_id LowCardinality(String),
  pid UInt32,
  exe String,
  uid UInt32,
  container_id String,
  cookie UInt64,
  remote_address IPv6,
  remote_port UInt16,
  still_open Bool,
  summary String,
  attack Array(LowCardinality(String)),
  document String CODEC(ZSTD(3)),
  stored_at DateTime('UTC') DEFAULT now()
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/backflow/findings_local', '{replica}', detected_at)
PARTITION BY toYYYYMM(first_detected_at)
ORDER BY (toDate(first_detected_at), class, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS backflow.findings ON CLUSTER 'main' AS backflow.findings_local
ENGINE = Distributed('main', 'backflow', 'findings_local', cityHash64(host_id));

CREATE OR REPLACE VIEW backflow.findings_current ON CLUSTER 'main' AS
SELECT * FROM backflow.findings ORDER BY detected_at DESC, version DESC LIMIT 1 BY id;

CREATE TABLE IF NOT EXISTS backflow.incidents_local ON CLUSTER 'main' (
  id UUID,
  version UInt32,
  status LowCardinality(String),
  severity Enum8('info' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5),
  score Float64,
  host_id LowCardinality(String),
  host_name LowCardinality(String),
  identity String,
  first_seen DateTime64(6, 'UTC'),
  last_seen DateTime64(6, 'UTC'),
  summary String,
  findings Array(UUID),
  document String CODEC(ZSTD(3)),
  stored_at DateTime('UTC') DEFAULT now()
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/backflow/incidents_local', '{replica}', last_seen)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS backflow.incidents ON CLUSTER 'main' AS backflow.incidents_local
ENGINE = Distributed('main', 'backflow', 'incidents_local', cityHash64(host_id));

CREATE OR REPLACE VIEW backflow.incidents_current ON CLUSTER 'main' AS
SELECT * FROM backflow.incidents ORDER BY last_seen DESC, version DESC LIMIT 1 BY id;

ALTER TABLE backflow.connections_local ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS outside Bool;

ALTER TABLE backflow.connections ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS outside Bool;

CREATE OR REPLACE VIEW backflow.connections_current ON CLUSTER 'main' AS
SELECT host_id, boot_id, cookie, tupleElement(latest, 1) AS host_name, tupleElement(latest, 2) AS instance, tupleElement(latest, 3) AS seq, tupleElement(latest, 4) AS batch_at, tupleElement(latest, 5) AS reason, tupleElement(latest, 6) AS closed, tupleElement(latest, 7) AS protocol, tupleElement(latest, 8) AS initiator, tupleElement(latest, 9) AS netns, tupleElement(latest, 10) AS local_address, tupleElement(latest, 11) AS local_port, tupleElement(latest, 12) AS remote_address, tupleElement(latest, 13) AS remote_port, tupleElement(latest, 14) AS opened_at, tupleElement(latest, 15) AS observed_at, tupleElement(latest, 16) AS last_moved_at, tupleElement(latest, 17) AS bytes_sent, tupleElement(latest, 18) AS bytes_received, tupleElement(latest, 19) AS established, tupleElement(latest, 20) AS older_than_collector, tupleElement(latest, 21) AS ssh_local_ident, tupleElement(latest, 22) AS ssh_remote_ident, tupleElement(latest, 23) AS ssh_local_client, tupleElement(latest, 24) AS ssh_remote_client, tupleElement(latest, 25) AS pid, tupleElement(latest, 26) AS start_ns, tupleElement(latest, 27) AS exe, tupleElement(latest, 28) AS comm, tupleElement(latest, 29) AS argv, tupleElement(latest, 30) AS uid, tupleElement(latest, 31) AS container_id, tupleElement(latest, 32) AS remote_led, tupleElement(latest, 33) AS remote_led_answered, tupleElement(latest, 34) AS local_led, tupleElement(latest, 35) AS local_led_answered, tupleElement(latest, 36) AS local_reply_log2, tupleElement(latest, 37) AS remote_reply_log2, tupleElement(latest, 38) AS same_size_answers, tupleElement(latest, 39) AS strict_alternations, tupleElement(latest, 40) AS answer_bytes, tupleElement(latest, 41) AS outside
FROM (
  SELECT host_id, boot_id, cookie, argMax(tuple(host_name, instance, seq, batch_at, reason, closed, protocol, initiator, netns, local_address, local_port, remote_address, remote_port, opened_at, observed_at, last_moved_at, bytes_sent, bytes_received, established, older_than_collector, ssh_local_ident, ssh_remote_ident, ssh_local_client, ssh_remote_client, pid, start_ns, exe, comm, argv, uid, container_id, remote_led, remote_led_answered, local_led, local_led_answered, local_reply_log2, remote_reply_log2, same_size_answers, strict_alternations, answer_bytes, outside), (closed, observed_at, batch_at, seq)) AS latest
  FROM backflow.connections
  GROUP BY host_id, boot_id, cookie
);

CREATE TABLE IF NOT EXISTS backflow.couplings_local ON CLUSTER 'main' (
  host_id LowCardinality(String),
  boot_id LowCardinality(String),
  cookie UInt64,
  edge_group String,
  channel String,
  at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  opened UInt32 CODEC(T64, ZSTD(1)),
  forward_in UInt64 CODEC(T64, ZSTD(1)),
  forward_out UInt64 CODEC(T64, ZSTD(1)),
  backward_in UInt64 CODEC(T64, ZSTD(1)),
  backward_out UInt64 CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/backflow/couplings_local', '{replica}')
PARTITION BY toDate(at)
ORDER BY (host_id, boot_id, cookie, edge_group, channel, at)
SETTINGS ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS backflow.couplings ON CLUSTER 'main' AS backflow.couplings_local
ENGINE = Distributed('main', 'backflow', 'couplings_local', cityHash64(host_id));

CREATE TABLE IF NOT EXISTS backflow.host_reports_local ON CLUSTER 'main' (
  host_id LowCardinality(String),
  boot_id LowCardinality(String),
  instance LowCardinality(String),
  host_name LowCardinality(String),
  at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  kernel LowCardinality(String),
  collector_version LowCardinality(String),
  degraded Array(LowCardinality(String)),
  live_connections UInt32 CODEC(T64, ZSTD(1)),
  processes UInt32 CODEC(T64, ZSTD(1)),
  evicted UInt64 CODEC(T64, ZSTD(1)),
  lost_ring_connection UInt64 CODEC(T64, ZSTD(1)),
  lost_ring_exec UInt64 CODEC(T64, ZSTD(1)),
  lost_ring_exit UInt64 CODEC(T64, ZSTD(1)),
  lost_map_socket UInt64 CODEC(T64, ZSTD(1)),
  lost_map_edge UInt64 CODEC(T64, ZSTD(1)),
  shed_interim UInt64 CODEC(T64, ZSTD(1)),
  shed_final UInt64 CODEC(T64, ZSTD(1)),
  rejected UInt64 CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/backflow/host_reports_local', '{replica}')
PARTITION BY toDate(at)
ORDER BY (host_id, at, instance)
SETTINGS ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS backflow.host_reports ON CLUSTER 'main' AS backflow.host_reports_local
ENGINE = Distributed('main', 'backflow', 'host_reports_local', cityHash64(host_id));

CREATE TABLE IF NOT EXISTS backflow.metrics_local ON CLUSTER 'main' (
  at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  source LowCardinality(String),
  name LowCardinality(String),
  labels Map(LowCardinality(String), String),
  value Float64
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/backflow/metrics_local', '{replica}')
PARTITION BY toDate(at)
ORDER BY (name, source, at)
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS backflow.metrics ON CLUSTER 'main' AS backflow.metrics_local
ENGINE = Distributed('main', 'backflow', 'metrics_local', cityHash64(source));

CREATE TABLE IF NOT EXISTS backflow.outbound_hourly_local ON CLUSTER 'main' (
  hour DateTime('UTC'),
  host_id LowCardinality(String),
  host_name LowCardinality(String),
  container_id LowCardinality(String),
  uid UInt32,
  exe LowCardinality(String),
  outside Bool,
  connections AggregateFunction(uniq, LowCardinality(String), UInt64),
  addresses AggregateFunction(uniq, IPv6),
  endpoints AggregateFunction(uniq, IPv6, UInt16),
  bytes_sent SimpleAggregateFunction(sum, UInt64),
  bytes_received SimpleAggregateFunction(sum, UInt64),
  longest_seconds SimpleAggregateFunction(max, UInt32)
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/backflow/outbound_hourly_local', '{replica}')
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, host_id, container_id, uid, exe, outside, host_name)
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS backflow.outbound_hourly ON CLUSTER 'main' AS backflow.outbound_hourly_local
ENGINE = Distributed('main', 'backflow', 'outbound_hourly_local', cityHash64(host_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS backflow.outbound_hourly_rows ON CLUSTER 'main' TO backflow.outbound_hourly_local AS
SELECT toStartOfHour(batch_at) AS hour, host_id, host_name, container_id, uid, exe, outside,
  uniqState(boot_id, cookie) AS connections,
  uniqState(remote_address) AS addresses,
  uniqState(remote_address, remote_port) AS endpoints,
  sum(if(reason = 'closed', bytes_sent, 0)) AS bytes_sent,
  sum(if(reason = 'closed', bytes_received, 0)) AS bytes_received,
  max(toUInt32(greatest(0, dateDiff('second', opened_at, observed_at)))) AS longest_seconds
FROM backflow.connections_local
WHERE initiator != 'remote'
GROUP BY hour, host_id, host_name, container_id, uid, exe, outside;

ALTER TABLE backflow.host_reports_local ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS lost_map_group UInt64 CODEC(T64, ZSTD(1));

ALTER TABLE backflow.host_reports ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS lost_map_group UInt64 CODEC(T64, ZSTD(1));

ALTER TABLE backflow.host_reports_local ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS lost_walk_descriptor UInt64 CODEC(T64, ZSTD(1));

ALTER TABLE backflow.host_reports ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS lost_walk_descriptor UInt64 CODEC(T64, ZSTD(1));
