import { AppError } from "../errors.js"
import type { Config } from "../config/load.js"
import { requestProof } from "../service/prove/proof-socket.js"
import type { ProofResult } from "../service/prove/prover.js"
import { printable } from "../text/terminal-text.js"
import type { Arguments } from "./cli/arguments.js"
import { exitCodes } from "./cli/exit-codes.js"
import type { Terminal } from "./cli/terminal.js"

/** `backflow prove`: has the running analyzer prove its hosts now; the exit code says whether all of them are. */
export async function proveCommand(
  { values, switches }: Arguments,
  config: Config,
  terminal: Terminal,
): Promise<number> {
  const host = values["host"]
  const results = await requestProof(config.state, host)
  if (results.length === 0)
    throw host === undefined
      ? new AppError("not-proven", "No collector is connected, so that there is nothing to prove", "Start one: backflow up, or backflow-collector on other hosts") // prettier-ignore
      : new AppError("not-proven", `No collector of a host "${host}" is connected`, "The page and the metrics name the hosts that are") // prettier-ignore
  for (const result of results)
    terminal.out(switches.has("json") ? `${JSON.stringify(jsonOf(result))}\n` : `${textOf(result)}\n`)
  return results.every(({ isProven }) => isProven) ? exitCodes.ok.code : exitCodes["not-proven"].code
}

function textOf({ host, isProven, text }: ProofResult): string {
  return `host ${printable(host)}: ${isProven ? "proven" : "BLIND"}: ${printable(text)}`
}

function jsonOf({ host, hostId, isProven, text }: ProofResult) {
  return { host, host_id: hostId, proven: isProven, text }
}
