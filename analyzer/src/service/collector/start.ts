import type { Config } from "../../config/load.js"
import { collectorArguments } from "./collector-arguments.js"
import { CollectorChild } from "./collector-child.js"
import type { Readiness } from "./collector-child.js"
import { endOrphan, noteCollector } from "./orphaned-collector.js"

/** The collector of this host: which program, and what is to be told of it. */
export interface CollectorEvents {
  readonly program: string
  /** The collector of an earlier run, which was killed, was still there and has been ended. */
  readonly onOrphanEnded: () => void
  /** Lines of its log; those from before it observed come together with its readiness. */
  readonly onLog: (line: string) => void
  /** It observes; also after each new start. */
  readonly onReady: (readiness: Readiness) => void
  /** It ended by itself, and is started again after the pause. */
  readonly onRestart: (how: string, pauseMs: number) => void
}

export interface RunningCollector {
  /** Rejects with AppError when it fails before it ever observed; resolves after a stop. */
  readonly running: Promise<void>
  /** Lets it hand over what it has, within `graceMs`. False when something was not acknowledged. */
  stop(graceMs: number): Promise<boolean>
}

/** Starts the collector of this host against an analyzer that listens already, on `address`. */
export async function startCollector(
  events: CollectorEvents,
  { state, listen }: Pick<Config, "state" | "listen">,
  address: string,
): Promise<RunningCollector> {
  if (await endOrphan(state, events.program)) events.onOrphanEnded()
  const child = new CollectorChild({
    program: events.program,
    args: collectorArguments(address, listen),
    onStart: (pid) => noteCollector(state, pid),
    onLog: events.onLog,
    onReady: events.onReady,
    onRestart: events.onRestart,
  })
  return { running: child.run(), stop: (graceMs) => child.stop(graceMs) }
}
