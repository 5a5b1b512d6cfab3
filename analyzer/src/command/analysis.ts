import { join } from "node:path"
import { defaults } from "../config/defaults.js"
import type { Config } from "../config/load.js"
import { Networks } from "../domain/networks.js"
import { AppError, messageOf } from "../errors.js"
import type { Log } from "../log.js"
import { startAnalyzer } from "../main.js"
import type { Analyzer } from "../main.js"
import { ConsoleSink } from "../sinks/console-sink.js"
import { JsonlSink } from "../sinks/jsonl-sink.js"
import type { Sink } from "../sinks/sink.js"
import { StoreSink } from "../sinks/store-sink.js"
import { stagesFor } from "../stages.js"
import { openConfiguredStore } from "../store/from-config.js"
import { serveQueries } from "../store/query-server.js"
import { takeStateFolder } from "../store/state-folder.js"
import type { Store } from "../store/store.js"
import type { Arguments } from "./arguments.js"
import { credentials } from "./credentials.js"
import type { Terminal } from "./terminal.js"

/** How often the size of the store is looked at, in milliseconds. */
const quotaCheckMs = 300_000

/** Findings of earlier runs whose versions go on; about 100 bytes of memory each. */
const mostEarlierFindings = 100_000

/** Undoes one step; they run in the reverse order of the steps. */
export type Undo = () => Promise<unknown> | undefined

/** Everything but the collector: state folder, store, alerts, page and the analyzer between them. */
export async function startAnalysis(
  args: Arguments,
  config: Config,
  terminal: Terminal,
  log: Log,
  undo: Undo[],
): Promise<Analyzer> {
  const folder = takeStateFolder(config.state)
  undo.push(() => {
    folder.release()
    return undefined
  })
  const store = await openConfiguredStore(config)
  undo.push(() => store.close())
  const queries = await serveQueries(config.state, store.queries)
  undo.push(() => queries.close())
  undo.push(watchQuota(store, config.store.quotaBytes, log))
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

function watchQuota(store: Store, quotaBytes: number, log: Log): Undo {
  const timer = setInterval(() => {
    store.enforceQuota(quotaBytes).then(
      (days) =>
        days.length > 0 && log.warn({ days }, "dropped the oldest days of connections: store.quota_bytes is reached"),
      (thrown: unknown) => log.warn({ error: messageOf(thrown) }, "the size of the store could not be checked"),
    )
  }, quotaCheckMs)
  return () => {
    clearInterval(timer)
    return undefined
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
