/** Every default of the configuration file: the value, its unit, and why it is so. */
export interface Default<Value> {
  readonly value: Value
  readonly unit: string
  readonly reason: string
}

const gibibyte = 1_073_741_824

export const defaults = {
  state: {
    value: ".backflow",
    unit: "folder",
    reason: "Two checkouts or two runs from different folders do not meet; packages set /var/lib/backflow.",
  },
  listenAddress: {
    value: "127.0.0.1:4410",
    unit: "address:port, or unix:/path",
    reason: "Loopback needs no TLS; a collector elsewhere is a decision that a person makes.",
  },
  logLevel: {
    value: "warn",
    unit: "debug, info, warn or error",
    reason: "Findings have their own way out; the log is for what goes wrong.",
  },
  logFormat: {
    value: "auto",
    unit: "auto, json or words",
    reason: "Words on a terminal, one JSON object a line anywhere else.",
  },
  stopSeconds: {
    value: 30,
    unit: "seconds",
    reason: "What a stop may take to write what is under way; service managers kill after 60 to 90 s.",
  },
  pageAddress: {
    value: "127.0.0.1:4480",
    unit: "address:port, or off",
    reason: "Loopback alone. Where the port is taken and nobody asked for it, any free one.",
  },
  storeServeAddress: {
    value: "off",
    unit: "address:port, or off",
    reason: "Few need SQL from outside; 127.0.0.1:8123 is where ClickHouse clients look.",
  },
  storeDatabase: { value: "backflow", unit: "name", reason: "One server can hold several under other names." },
  storeUsername: { value: "default", unit: "name", reason: "What a new ClickHouse server has." },
  storeRetentionDays: {
    value: 30,
    unit: "days",
    reason: "Connection records; investigations of tunnels went back weeks. About 50 bytes each on disk.",
  },
  storeFindingRetentionDays: { value: 365, unit: "days", reason: "Findings and incidents are few and small." },
  storeRollupRetentionDays: {
    value: 400,
    unit: "days",
    reason: "Hourly sums by program; a year can be compared with the one before. Less than 1 % of the records' size.",
  },
  storeQuotaBytes: {
    value: 20 * gibibyte,
    unit: "bytes on disk",
    reason: "Some 400 million connection records; the oldest days go first, so that a busy host cannot fill the disk.",
  },
  storeMemoryBytes: {
    value: gibibyte,
    unit: "bytes a statement",
    reason:
      "The engine would take up to 90 % of the machine's memory. Inserts need 0.3 GiB, a query over 10 million rows too.",
  },
  storeQuerySeconds: {
    value: 60,
    unit: "seconds",
    reason: "Of 10 million connection records, the newest 100 take 0.3 s to list and 100,000 take 2 s.",
  },
  alertSeverity: { value: "medium", unit: "severity", reason: "Medium and above is what wakes a person." },
  alertOutboxBytes: {
    value: gibibyte / 4,
    unit: "bytes on disk, for each of kafka, webhook and file",
    reason: "About 60,000 alerts of 4 kB: days of a broker's absence, and no more of the disk.",
  },
  kafkaTopic: { value: "backflow.findings.v1", unit: "name", reason: "The version of the form is in the name." },
  kafkaClientId: { value: "backflow", unit: "name", reason: "What the broker's own logs and quotas show." },
  longLivedSshAfterSeconds: {
    value: 600,
    unit: "seconds",
    reason: "Copies, pushes and pulls over SSH end within minutes; a standing channel does not.",
  },
} as const satisfies Record<string, Default<string | number>>
