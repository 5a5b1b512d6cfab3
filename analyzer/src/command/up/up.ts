import type { Config } from "../../config/load.js"
import { printable } from "../../text/terminal-text.js"
import { createLogger } from "../../telemetry/logger.js"
import { summaryLines } from "../../telemetry/summary.js"
import { startService } from "../../service/start.js"
import type { Service, Undo } from "../../service/start.js"
import type { Arguments } from "../arguments.js"
import { collectorArguments } from "./collector-arguments.js"
import { CollectorChild, builtCollector } from "./collector-child.js"
import { exitCodes } from "../exit-codes.js"
import { interrupted } from "./interrupt.js"
import { endLeftBehind, noteCollector } from "./orphaned-collector.js"
import { requireObservable, thisHost } from "./preflight.js"
import { sqlAddressLines, pageLines, readyText } from "./ready-text.js"
import type { Terminal } from "../terminal.js"

/** `backflow up` and `backflow analyzer`: runs until it is told to stop. */
export async function watch(args: Arguments, config: Config, terminal: Terminal): Promise<number> {
  const isUp = args.command.name === "up"
  if (isUp) requireObservable(thisHost())
  const stop = interrupted(exitCodes["store-write"].code)
  const log = createLogger({ level: config.logLevel, stream: process.stderr, words: readsWords(config) })
  const undo: Undo[] = []
  // Words go where no program reads along.
  const say =
    args.values["findings-jsonl"] === "-"
      ? (text: string) => terminal.note(text)
      : (text: string) => terminal.out(`${text}\n`)
  try {
    const analysis = await startService(args, config, terminal, log, undo)
    if (!isUp) {
      const { address, page, sql: front } = analysis
      say(
        [
          `ready, listening for collectors on ${address}`,
          ...pageLines(page, process.stdout.isTTY),
          ...sqlAddressLines(front),
        ].join("\n"),
      )
      await stop
      return await finish(analysis, config, true, say)
    }
    if (await endLeftBehind(config.state)) say("ended the collector of an earlier run, which was killed")
    const collector = collectorFor(analysis, args, config, say)
    undo.push(() => collector.stop())
    await Promise.race([stop, collector.run()])
    // First it hands over what it has, and the analyzer acknowledges it.
    return await finish(analysis, config, await collector.stop(), say)
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

function collectorFor(
  { address, page, sql: front }: Service,
  { values }: Arguments,
  config: Config,
  say: (text: string) => void,
): CollectorChild {
  return new CollectorChild({
    program: values["collector"] ?? builtCollector,
    args: collectorArguments(address, config.listen),
    onStart: (pid) => noteCollector(config.state, pid),
    onLog: (line) => say(`collector: ${printable(line)}`),
    onReady: (readiness) => say(readyText(readiness, config, { page, sql: front }, process.stdout.isTTY)),
    onRestart: (words, pauseMs) =>
      say(`the collector stopped observing, and is started again in ${pauseMs / 1_000} s: ${printable(words)}`),
  })
}

/** Writes what is under way; the exit code. */
async function finish(
  analysis: Service,
  { stopSeconds }: Config,
  isHandedOver: boolean,
  say: (text: string) => void,
): Promise<number> {
  const isWritten = await analysis.stop(stopSeconds * 1_000)
  for (const line of summaryLines(analysis.counts())) say(line)
  for (const { name, depth } of analysis.alerts())
    if (depth > 0) say(`${name}: ${depth} alerts wait in the outbox, and leave after the next start`)
  if (!isHandedOver) say("the collector ended with batches that were not acknowledged")
  return isWritten && isHandedOver ? exitCodes.ok.code : exitCodes["store-write"].code
}

/** A person reads words where the log goes to a terminal. */
function readsWords({ logFormat }: Config): boolean {
  return logFormat === "words" || (logFormat === "auto" && process.stderr.isTTY)
}
