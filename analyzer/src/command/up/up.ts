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
import { endOrphan, noteCollector } from "./orphaned-collector.js"
import { requireObservable, thisHost } from "./preflight.js"
import { sqlAddressLines, pageLines, readyText } from "./ready-text.js"
import type { Terminal } from "../terminal.js"

/** `backflow up` and `backflow analyzer`: runs until a signal stops it. */
export async function watch(args: Arguments, config: Config, terminal: Terminal): Promise<number> {
  const isUp = args.command.name === "up"
  if (isUp) requireObservable(thisHost())
  const stop = interrupted(exitCodes["store-write"].code)
  const log = createLogger({ level: config.logLevel, stream: process.stderr, words: isTextLog(config) })
  const undo: Undo[] = []
  // Messages for people go where no program reads along.
  const say =
    args.values["findings-jsonl"] === "-"
      ? (text: string) => terminal.note(text)
      : (text: string) => terminal.out(`${text}\n`)
  try {
    const analysis = await startService(args, config, terminal, log, undo)
    if (!isUp) {
      const { address, page, sql } = analysis
      say(
        [
          `ready, listening for collectors on ${address}`,
          ...pageLines(page, process.stdout.isTTY),
          ...sqlAddressLines(sql),
        ].join("\n"),
      )
      await stop
      return await finish(analysis, config, true, say)
    }
    if (await endOrphan(config.state)) say("stopped the orphaned collector of an earlier run, which was killed")
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
  { address, page, sql }: Service,
  { values }: Arguments,
  config: Config,
  say: (text: string) => void,
): CollectorChild {
  return new CollectorChild({
    program: values["collector"] ?? builtCollector,
    args: collectorArguments(address, config.listen),
    onStart: (pid) => noteCollector(config.state, pid),
    onLog: (line) => say(`collector: ${printable(line)}`),
    onReady: (readiness) => say(readyText(readiness, config, { page, sql }, process.stdout.isTTY)),
    onRestart: (lastLine, pauseMs) =>
      say(`the collector failed, restarting in ${pauseMs / 1_000} s: ${printable(lastLine)}`),
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
    if (depth > 0) say(`${name}: ${depth} alerts wait in the outbox, to be sent after the next start`)
  if (!isHandedOver) say("the collector stopped with unacknowledged batches")
  return isWritten && isHandedOver ? exitCodes.ok.code : exitCodes["store-write"].code
}

/** The log is text where a terminal shows it. */
function isTextLog({ logFormat }: Config): boolean {
  return logFormat === "words" || (logFormat === "auto" && process.stderr.isTTY)
}
