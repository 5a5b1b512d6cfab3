import { defaultListenAddress, defaultPageAddress } from "../../config/listen-schema.js"
import type { Config } from "../../config/load.js"
import { printable } from "../../text/terminal-text.js"
import { holderOf } from "../../store/state-folder.js"
import type { Arguments } from "../cli/arguments.js"
import { builtCollector } from "../../service/collector/collector-child.js"
import { broker } from "./broker-check.js"
import { runCheck } from "./check.js"
import type { Check, Result } from "./check.js"
import { clock, isClockSynchronised } from "./clock-check.js"
import { hostChecks, thisHostsFiles } from "./host-checks.js"
import { port } from "./port-check.js"
import { proofs } from "./proof-check.js"
import { queryServer, stateFolder, storeServer } from "./store-check.js"
import { exitCodes } from "../cli/exit-codes.js"
import { thisHost } from "../up/preflight.js"
import type { Terminal } from "../cli/terminal.js"

/** What a check may take, and after how long the checks still waiting are named, in milliseconds. */
const limitMs = 10_000
const progressAfterMs = 1_000

/**
 * `backflow doctor`: everything that Backflow needs, checked at the same time. The exit code is "check-failed" when
 * something does not work; what is degraded is shown and no failure. With --json, an array of results on standard output.
 */
export async function doctorCommand(args: Arguments, config: Config, terminal: Terminal): Promise<number> {
  const results = await runChecks(checksFor(config, args.values["collector"] ?? builtCollector), args, terminal)
  const isFailing = results.some(({ state }) => state === "failing")
  if (args.switches.has("json")) terminal.out(`${JSON.stringify({ ok: !isFailing, checks: results })}\n`)
  else terminal.out(conclusion(results))
  return isFailing ? exitCodes["check-failed"].code : exitCodes.ok.code
}

function checksFor(config: Config, collector: string): Check[] {
  const serverInfo = queryServer(config)
  // The checks that wait for it handle its failure; without a waiter it must not end the process.
  serverInfo.catch(() => undefined)
  const holder = holderOf(config.state)
  const { kafka } = config.alerts
  const proofInterval = config.proof.intervalMinutes * 60_000_000
  return [
    ...hostChecks(thisHost(), thisHostsFiles(), collector),
    { what: "state folder", run: () => stateFolder(config) },
    { what: "store", run: () => storeServer(config, serverInfo) },
    ...(kafka === undefined ? [] : [{ what: "broker", run: () => broker(kafka) }]),
    ...(holder === undefined
      ? []
      : [{ what: "proofs", run: () => proofs(config.state, proofInterval, Date.now() * 1_000) }]),
    { what: "clock", run: () => clock(isClockSynchronised, serverInfo) },
    {
      what: "page",
      run: () =>
        port({
          setting: "page.address",
          address: config.page.address ?? defaultPageAddress,
          isFlexible: config.page.address === undefined,
          holder,
        }),
    },
    {
      what: "collectors",
      run: () =>
        port({
          setting: "listen.address",
          address: config.listen.address ?? defaultListenAddress,
          isFlexible: false,
          holder,
        }),
    },
  ]
}

/** All at once. Lines come in the order of the checks, each as soon as it is known. */
async function runChecks(checks: readonly Check[], args: Arguments, terminal: Terminal): Promise<readonly Result[]> {
  const waiting = new Set(checks.map(({ what }) => what))
  const isText = !args.switches.has("json")
  const progress = setTimeout(() => {
    if (isText) terminal.note(`waiting for ${[...waiting].join(", ")}`)
  }, progressAfterMs)
  const running = checks.map(async (check) => {
    const result = await runCheck(check, limitMs)
    waiting.delete(check.what)
    return result
  })
  const width = Math.max(...checks.map(({ what }) => what.length))
  const results: Result[] = []
  for (const one of running) {
    const result = await one
    results.push(result)
    if (isText) terminal.out(resultText(result, width, terminal.colour))
  }
  clearTimeout(progress)
  return results
}

const colours = { ok: 32, degraded: 33, failing: 31 } as const

export function resultText({ what, state, text, remedy }: Result, width: number, colour: boolean): string {
  const word = state.padEnd("degraded".length)
  const mark = colour ? `\u001b[${colours[state]}m${word}\u001b[0m` : word
  const indent = " ".repeat("degraded".length + width + 4)
  return `${mark}  ${what.padEnd(width)}  ${printable(text)}\n${remedy === "" ? "" : `${indent}${printable(remedy)}\n`}`
}

function conclusion(results: readonly Result[]): string {
  const count = (state: Result["state"]) => results.filter((result) => result.state === state).length
  const [failing, degraded] = [count("failing"), count("degraded")]
  if (failing > 0) return `\n${failing} of ${results.length} checks failed.\n`
  return degraded > 0 ? `\nNo check failed, ${degraded} degraded.\n` : "\nAll checks passed.\n"
}
