import { exitCodes } from "./exit-codes.js"

export interface Option {
  readonly name: string
  /** What stands for the value, such as PATH; undefined for a switch. */
  readonly value?: string
  readonly text: string
}

export interface Command {
  readonly name: string
  /** Positional arguments, as shown. */
  readonly operands?: string
  readonly summary: string
  readonly options: readonly Option[]
  readonly examples: readonly (readonly [line: string, what: string])[]
}

const help: Option = { name: "help", text: "print this" }
const config: Option = { name: "config", value: "FILE", text: "configuration (YAML); defaults without one" }
const state: Option = { name: "state", value: "DIR", text: "folder for all data (default .backflow)" }
const json: Option = { name: "json", text: "one JSON object a line" }

const store: Option = {
  name: "store",
  value: "URL",
  text: "a ClickHouse server instead of the embedded store: https://host:8443",
}
const kafka: Option = { name: "kafka", value: "BROKERS", text: "publish alerts to Kafka: host:9092,host:9092" }

const running: readonly Option[] = [
  config,
  state,
  { name: "page", value: "ADDRESS", text: "where the page listens: 127.0.0.1:4480, 127.0.0.1:0 or off" },
  store,
  { name: "cluster", value: "NAME", text: "with --store: tables on every server of this ClickHouse cluster" },
  {
    name: "serve-store",
    value: "ADDRESS",
    text: "let ClickHouse clients read the embedded store there: 127.0.0.1:8123",
  },
  kafka,
  { name: "listen", value: "ADDRESS", text: "where collectors connect: 127.0.0.1:4410, 127.0.0.1:0 or unix:/path" },
  {
    name: "findings-jsonl",
    value: "PATH",
    text: "append every finding version as a JSON line, at once; - is standard output",
  },
  { name: "record", value: "DIR", text: "keep what collectors send, for backflow replay; grows without limit" },
]

const listing: readonly Option[] = [
  config,
  state,
  { name: "since", value: "TIME", text: "2h, 3d, or a moment such as 2026-11-23T06:00Z" },
  { name: "limit", value: "N", text: "maximum rows (default 100)" },
  json,
]
const severity: Option = {
  name: "severity",
  value: "LEVEL",
  text: "this and above: info, low, medium, high or critical",
}

export const commands: readonly Command[] = [
  {
    name: "up",
    summary: "watch this host: start the analyzer and the collector (the default; needs root)",
    options: [
      ...running,
      { name: "collector", value: "PATH", text: "the collector's program" },
      { name: "demo", text: "also open a real reverse tunnel in network namespaces, show the finding, and exit" },
      help,
    ],
    examples: [
      ["sudo backflow up", "watch until Ctrl-C"],
      ["sudo backflow up --state /var/lib/backflow --findings-jsonl findings.jsonl", "keep findings in a file too"],
      ["sudo backflow up --demo", "see it find something"],
    ],
  },
  {
    name: "analyzer",
    summary: "start the analyzer alone, for collectors on other hosts",
    options: [...running, help],
    examples: [
      ["backflow analyzer --config backflow.yaml", "listen where the file says"],
      [
        "backflow analyzer --listen unix:/run/backflow/collector.sock --state /var/lib/backflow",
        "for a collector here",
      ],
    ],
  },
  {
    name: "findings",
    summary: "list findings, newest first",
    options: [...listing, severity, { name: "class", value: "CLASS", text: "one class, such as reverse_tunnel" }, help],
    examples: [
      ["backflow findings --since 1d --severity medium", "alerts since yesterday"],
      ["backflow findings --json | jq -r .summary", "for a program"],
    ],
  },
  {
    name: "connections",
    summary: "list connections, each once, the last seen first",
    options: [...listing, { name: "open", text: "only those that were open when last seen" }, help],
    examples: [
      ["backflow connections --open --limit 20", "what is open now"],
      ["backflow connections --json --since 2h", "for a program"],
    ],
  },
  {
    name: "incidents",
    summary: "list incidents: findings that belong together",
    options: [...listing, severity, help],
    examples: [["backflow incidents --severity medium", "what to work on"]],
  },
  {
    name: "replay",
    operands: "DIR",
    summary: "run what --record kept through the same detectors, and print the findings",
    options: [config, { ...json, text: "every version of a finding as one JSON object a line" }, help],
    examples: [
      ["backflow replay recording", "what was found, again"],
      ["backflow replay recording --config new.yaml --json", "what another configuration would have found"],
    ],
  },
  {
    name: "prove",
    summary: "open a harmless relay on every host that is connected, and check that it is found",
    options: [config, state, { name: "host", value: "NAME", text: "this host alone, by name or id" }, json, help],
    examples: [
      ["backflow prove", "is every host of the running analyzer watched?"],
      ["backflow prove --host build-7 --state /var/lib/backflow", "one of them; the exit code says whether"],
    ],
  },
  {
    name: "check-config",
    operands: "[FILE]",
    summary: "check a configuration and name every error in it",
    options: [{ ...json, text: "the result as one JSON object" }, help],
    examples: [["backflow check-config backflow.yaml", "before a restart"]],
  },
  {
    name: "doctor",
    summary: "check everything that Backflow needs here, and show what is degraded",
    options: [
      config,
      state,
      store,
      kafka,
      { name: "collector", value: "PATH", text: "the collector's program" },
      { ...json, text: "the results as one JSON object" },
      help,
    ],
    examples: [
      ["sudo backflow doctor", "before the first start, and for troubleshooting"],
      ["backflow doctor --config backflow.yaml --json", "for a program"],
    ],
  },
  {
    name: "schema",
    operands: "print|apply|check",
    summary: "the tables of the store: print their SQL, create them, or compare them",
    options: [
      config,
      state,
      store,
      { name: "cluster", value: "NAME", text: "the tables on every server of this ClickHouse cluster" },
      { ...json, text: "the result of check as one JSON object" },
      help,
    ],
    examples: [
      ["backflow schema print --store https://clickhouse.example:8443 --cluster main", "for clickhouse-client"],
      ["backflow schema check --config backflow.yaml", "before an upgrade"],
    ],
  },
  {
    name: "topics",
    operands: "ensure",
    summary: "create the Kafka topic for alerts, or show how it differs",
    options: [
      config,
      kafka,
      { name: "partitions", value: "N", text: "partitions (default 6)" },
      { name: "replication", value: "N", text: "replicas of each (default 3)" },
      { name: "min-insync", value: "N", text: "in-sync replicas that a write needs (default 2)" },
      { name: "dry-run", text: "show what would be done" },
      help,
    ],
    examples: [["backflow topics ensure --kafka kafka-1.example:9092", "once for each cluster"]],
  },
  {
    name: "demo",
    summary: "the same as up --demo",
    options: [help],
    examples: [["sudo backflow demo", "about half a minute"]],
  },
  { name: "version", summary: "print the version", options: [help], examples: [["backflow version", ""]] },
]

/** Help of one command, or of all when none is named. */
export function helpText(command?: Command): string {
  return command === undefined ? overview() : commandHelp(command)
}

function overview(): string {
  const names = table(
    commands.map(({ name, operands, summary }) => [`${name}${operands === undefined ? "" : ` ${operands}`}`, summary]),
  )
  return `Backflow finds the way back in: outbound connections through which somebody outside works inside.

Usage: backflow [COMMAND] [OPTIONS]

Commands:
${names}

Details: backflow COMMAND --help. Every value of the configuration file can also be an environment variable:
store.retention_days is BACKFLOW_STORE_RETENTION_DAYS. Options override variables, and those the file.

${codes()}`
}

function commandHelp(command: Command): string {
  const { name, operands, summary, options, examples } = command
  const rows = options.map((option): [string, string] => [
    `--${option.name}${option.value === undefined ? "" : ` ${option.value}`}`,
    option.text,
  ])
  return `Usage: backflow ${name}${operands === undefined ? "" : ` ${operands}`} [OPTIONS]

${summary.charAt(0).toUpperCase()}${summary.slice(1)}.

Options:
${table(rows)}

Examples:
${examples.map(([line, what]) => `  ${line}${what === "" ? "" : `\n      ${what}`}`).join("\n")}

${codes()}`
}

function codes(): string {
  return `Exit codes:\n${table(Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning]))}\n`
}

function table(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([first = ""]) => first.length))
  return rows.map(([first = "", second = ""]) => `  ${first.padEnd(width)}  ${second}`).join("\n")
}
