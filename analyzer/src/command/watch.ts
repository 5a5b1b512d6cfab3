import { readFileSync } from "node:fs"
import { join } from "node:path"
import { defaults } from "../config/defaults.js"
import type { Config } from "../config/load.js"
import { Networks } from "../domain/networks.js"
import { AppError, messageOf } from "../errors.js"
import type { TlsFiles } from "../ingest/listener.js"
import { startAnalyzer } from "../main.js"
import type { Analyzer } from "../main.js"
import { ConsoleSink } from "../sinks/console-sink.js"
import { JsonlSink } from "../sinks/jsonl-sink.js"
import type { Sink } from "../sinks/sink.js"
import { StoreSink } from "../sinks/store-sink.js"
import { stagesFor } from "../stages.js"
import { printable } from "../sinks/terminal-text.js"
import { openConfiguredStore } from "../store/from-config.js"
import { serveQueries } from "../store/query-server.js"
import { takeStateFolder } from "../store/state-folder.js"
import { createLogger } from "../telemetry/logger.js"
import { summaryLines } from "../telemetry/summary.js"
import type { Arguments } from "./arguments.js"
import { collectorArguments } from "./collector-arguments.js"
import { CollectorChild, builtCollector } from "./collector-child.js"
import type { Readiness } from "./collector-child.js"
import { exitCodes } from "./exit-codes.js"
import { interrupted } from "./interrupt.js"
import { endLeftBehind, noteCollector } from "./left-behind.js"
import { requireObservable, thisHost } from "./preflight.js"
import type { Terminal } from "./terminal.js"

/** How often the size of the store is looked at, in milliseconds. */
const quotaCheckMs = 300_000

/** Findings of earlier runs whose versions go on; about 100 bytes of memory each. */
const mostEarlierFindings = 100_000

/** `backflow up` and `backflow analyzer`: runs until it is told to stop. */
export async function watch(args: Arguments, config: Config, terminal: Terminal): Promise<number> {
  const isUp = args.command.name === "up"
  if (isUp) requireObservable(thisHost())
  const stop = interrupted(exitCodes["store-write"].code)
  const undo: (() => Promise<unknown> | undefined)[] = []
  // Words go where no program reads along.
  const say =
    args.values["findings-jsonl"] === "-"
      ? (text: string) => terminal.note(text)
      : (text: string) => terminal.out(`${text}\n`)
  try {
    const analyzer = await start(args, config, terminal, undo)
    if (!isUp) {
      say(`ready, listening for collectors on ${analyzer.address}`)
      await stop
      return await finish(analyzer, true, say)
    }
    if (await endLeftBehind(config.state)) say("ended the collector of an earlier run, which was killed")
    const collector = collectorFor(analyzer.address, args, config, say)
    undo.push(() => collector.stop())
    await Promise.race([stop, collector.run()])
    // First it hands over what it has, and the analyzer acknowledges it.
    return await finish(analyzer, await collector.stop(), say)
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

async function start(
  args: Arguments,
  config: Config,
  terminal: Terminal,
  undo: (() => Promise<unknown> | undefined)[],
): Promise<Analyzer> {
  const log = createLogger({ level: config.logLevel, stream: process.stderr, words: process.stderr.isTTY })
  const folder = takeStateFolder(config.state)
  undo.push(() => {
    folder.release()
    return undefined
  })
  const store = await openConfiguredStore(config)
  undo.push(() => store.close())
  const queries = await serveQueries(config.state, store.queries)
  undo.push(() => queries.close())
  const quotaCheck = setInterval(() => {
    store.enforceQuota(config.store.quotaBytes).then(
      (days) =>
        days.length > 0 && log.warn({ days }, "dropped the oldest days of connections: store.quota_bytes is reached"),
      (thrown: unknown) => log.warn({ error: messageOf(thrown) }, "the size of the store could not be checked"),
    )
  }, quotaCheckMs)
  undo.push(() => {
    clearInterval(quotaCheck)
    return undefined
  })
  const analyzer = await startAnalyzer(
    { listen: listenAddress(args, config), networks: new Networks(config.networks), ...credentials(config) },
    {
      stages: stagesFor(config, await store.findingVersions(mostEarlierFindings)),
      store: new StoreSink(store, terminal.nowUs),
      sinks: await sinksFor(args.values["findings-jsonl"], terminal),
      log,
      nowUs: terminal.nowUs,
    },
  )
  let stopped: Promise<boolean> | undefined
  const once = (graceMs?: number) => (stopped ??= analyzer.stop(graceMs))
  undo.push(() => once())
  return { ...analyzer, stop: once }
}

/** A collector on this host needs no port: `up` listens beside its state unless it is told otherwise. */
function listenAddress({ command }: Arguments, { listen, state }: Config): string {
  return (
    listen.address ?? (command.name === "up" ? `unix:${join(state, "collector.sock")}` : defaults.listenAddress.value)
  )
}

function credentials({ listen }: Config): { readonly tls?: TlsFiles; readonly token?: string } {
  const { tls, tokenFile } = listen
  return {
    ...(tls && {
      tls: {
        certificate: fileOf("listen.tls.cert_file", tls.certFile),
        key: fileOf("listen.tls.key_file", tls.keyFile),
        ...(tls.clientCaFile !== undefined && {
          clientAuthority: fileOf("listen.tls.client_ca_file", tls.clientCaFile),
        }),
      },
    }),
    ...(tokenFile !== undefined && { token: fileOf("listen.token_file", tokenFile).toString("utf8").trim() }),
  }
}

function fileOf(setting: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (thrown) {
    throw new AppError(
      "config",
      `${setting} cannot be read: ${messageOf(thrown)}.`,
      "Name a file that this user may read.",
      { cause: thrown },
    )
  }
}

async function sinksFor(jsonl: string | undefined, terminal: Terminal): Promise<Sink[]> {
  if (jsonl === undefined) return [new ConsoleSink(process.stdout, terminal.colour)]
  if (jsonl === "-") return [JsonlSink.toStream(process.stdout), new ConsoleSink(process.stderr, false)]
  try {
    return [await JsonlSink.toFile(jsonl), new ConsoleSink(process.stdout, terminal.colour)]
  } catch (thrown) {
    throw new AppError(
      "config",
      `--findings-jsonl cannot be written: ${messageOf(thrown)}.`,
      "Name a file in a folder that exists.",
      { cause: thrown },
    )
  }
}

function collectorFor(
  address: string,
  { values }: Arguments,
  config: Config,
  say: (text: string) => void,
): CollectorChild {
  return new CollectorChild({
    program: values["collector"] ?? builtCollector,
    args: collectorArguments(address, config.listen),
    onStart: (pid) => noteCollector(config.state, pid),
    onLog: (line) => say(`collector: ${printable(line)}`),
    onReady: (readiness) => say(readyText(readiness, config)),
    onRestart: (words, pauseMs) =>
      say(`the collector stopped observing, and is started again in ${pauseMs / 1_000} s: ${printable(words)}`),
  })
}

function readyText({ host, kernel, hooks, degraded = [] }: Readiness, { state, store }: Config): string {
  const onKernel = kernel === undefined ? "" : ` (Linux ${kernel})`
  const attached = hooks === undefined ? "" : ` through ${hooks} hooks`
  return [
    `ready, watching every connection of ${host ?? "this host"}${onKernel}${attached}`,
    ...(degraded.length === 0 ? [] : [`  degraded   ${degraded.join(", ")}`]),
    `  store      ${store.url ?? join(state, "store")}`,
    `  ask        backflow findings | connections | incidents --state ${state}`,
  ]
    .map(printable)
    .join("\n")
}

/** Writes what is under way; the exit code. */
async function finish(analyzer: Analyzer, isHandedOver: boolean, say: (text: string) => void): Promise<number> {
  const isWritten = await analyzer.stop()
  for (const line of summaryLines(analyzer.counts())) say(line)
  if (!isHandedOver) say("the collector ended with batches that were not acknowledged")
  return isWritten && isHandedOver ? exitCodes.ok.code : exitCodes["store-write"].code
}
