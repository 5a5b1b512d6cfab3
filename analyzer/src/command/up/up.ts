import { join } from "node:path"
import { defaultListenAddress } from "../../config/listen-schema.js"
import type { Config } from "../../config/load.js"
import type { ServiceAddresses } from "../../service/addresses.js"
import { builtCollector } from "../../service/collector/collector-child.js"
import type { CollectorEvents } from "../../service/collector/start.js"
import { startService } from "../../service/start.js"
import type { Service } from "../../service/start.js"
import { createLogger } from "../../telemetry/logger.js"
import { summaryLines } from "../../telemetry/summary.js"
import { printable } from "../../text/terminal-text.js"
import type { Arguments } from "../cli/arguments.js"
import { exitCodes } from "../cli/exit-codes.js"
import type { Terminal } from "../cli/terminal.js"
import { interrupted } from "./interrupt.js"
import { requireObservable, thisHost } from "./preflight.js"
import { analyzerReadyText, readyText } from "./ready-text.js"

type Say = (text: string) => void

/** What is left of stop_seconds for the process to end, once every part has stopped, in milliseconds. */
const exitMs = 500

/** `backflow up` and `backflow analyzer`: runs until a signal ends it. */
export async function runUntilStopped(args: Arguments, config: Config, terminal: Terminal): Promise<number> {
  const isUp = args.command.name === "up"
  if (isUp) requireObservable(thisHost())
  const signal = interrupted(exitCodes["store-write"].code)
  const jsonl = args.values["findings-jsonl"]
  // Texts for people go where no program reads along.
  const say: Say = jsonl === "-" ? (text) => terminal.note(text) : (text) => terminal.out(`${text}\n`)
  const service = await startService({
    config,
    listen: listenAddress(isUp, config),
    findings: { jsonl, colour: terminal.colour },
    record: args.values["record"],
    collector: isUp ? (addresses) => collectorEvents(args, config, addresses, say) : undefined,
    log: createLogger({ level: config.log.level, stream: process.stderr, words: isForPeople(config) }),
    nowUs: terminal.nowUs,
  })
  try {
    if (!isUp) say(analyzerReadyText(service.addresses, process.stdout.isTTY))
    await Promise.race([signal, service.running])
  } finally {
    await service.stop(graceMs(config))
  }
  return finish(service, config, say)
}

/** A collector on this host needs no port: `up` listens beside its state unless the configuration says otherwise. */
function listenAddress(isUp: boolean, { listen, state }: Config): string {
  return listen.address ?? (isUp ? `unix:${join(state, "collector.sock")}` : defaultListenAddress)
}

function collectorEvents(
  { values }: Arguments,
  config: Config,
  addresses: ServiceAddresses,
  say: Say,
): CollectorEvents {
  return {
    program: values["collector"] ?? builtCollector,
    onOrphanEnded: () => say("stopped the orphaned collector of an earlier run, which was killed"),
    onLog: (line) => say(`collector: ${printable(line)}`),
    onReady: (readiness) => say(readyText(readiness, config, addresses, process.stdout.isTTY)),
    onRestart: (lastLine, pauseMs) =>
      say(`the collector failed, restarting in ${pauseMs / 1_000} s: ${printable(lastLine)}`),
  }
}

function graceMs({ stopSeconds }: Config): number {
  return stopSeconds * 1_000 - exitMs
}

/** Says what was done and what was not; the exit code. */
async function finish(service: Service, config: Config, say: Say): Promise<number> {
  const { isWritten, isHandedOver } = await service.stop(graceMs(config))
  for (const line of summaryLines(service.status())) say(line)
  for (const { name, depth } of service.alerts())
    if (depth > 0) say(`${name}: ${depth} alerts wait in the outbox, to be sent after the next start`)
  if (!isHandedOver) say("the collector stopped with unacknowledged batches")
  return isWritten && isHandedOver ? exitCodes.ok.code : exitCodes["store-write"].code
}

/** The log is text where a terminal shows it, else JSON. */
function isForPeople({ log }: Config): boolean {
  return log.format === "words" || (log.format === "auto" && process.stderr.isTTY)
}
