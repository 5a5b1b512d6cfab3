/**
 * What a collector may send. Each limit is far above what ours sends: it is there so that a broken or hostile one
 * costs a bounded amount of memory and only itself.
 */
export const wireLimits = {
  /** Bytes of one message; a batch of 16384 connections takes about 1 MiB. */
  messageBytes: 8 * 1024 * 1024,
  /**
   * Records of one message. Other hosts wait while it is read: at 5 to 20 microseconds a record that is a tenth of a second or
   * two. Ours sends 8192 connections with their owners, 2048 edges, and 1000 processes of a dictionary at most.
   */
  connectionsPerBatch: 16_384,
  processesPerBatch: 16_384,
  edgesPerBatch: 8_192,
  attachmentsPerBatch: 16_384,
  /** Each costs far less: a collector that keeps 65536 processes may see all of them end at once. */
  exitedPerBatch: 65_536,
  overloadsPerBatch: 256,
  proofsPerBatch: 16,
  /** As many as the kernel keeps. */
  tunnelUsesPerBatch: 4_096,
  tunnelForwardsPerBatch: 1_024,
  unfollowedPerBatch: 512,
  nonceBytes: 8,
  /** Process references known at one time, per collector; Linux has 4194304 pids at most, a busy host some 10000. */
  processReferences: 262_144,
  /** PATH_MAX of Linux. */
  pathChars: 4_096,
  /** MAX_ARG_STRLEN of Linux, taken for all arguments together. */
  argvChars: 131_072,
  argvCount: 4_096,
  nameChars: 256,
  /** sun_path holds 108 bytes; a control byte may be written as several characters. */
  unixPathChars: 512,
  forwards: 256,
  degraded: 64,
  /** 2000-01-01, in microseconds since the epoch: older is a clock that was never set. */
  earliestUs: 946_684_800_000_000,
  /** How far ahead of this machine's clock a collector's may be: five minutes, as Kerberos allows. */
  aheadUs: 300_000_000,
  /** Totals beyond 2^53 would lose bytes in a double. */
  maxTotal: Number.MAX_SAFE_INTEGER,
} as const
