import { checkConfig } from "../config/load.js"
import type { Arguments } from "./cli/arguments.js"
import { exitCodes } from "./cli/exit-codes.js"
import type { Terminal } from "./cli/terminal.js"

/** `backflow check-config`: the exit code says it too. */
export function checkConfigCommand({ operands, switches }: Arguments, terminal: Terminal): number {
  const [file] = operands
  const checked = checkConfig({ file, environment: terminal.environment })
  const problems = "problems" in checked ? checked.problems : []
  if (switches.has("json")) terminal.out(`${JSON.stringify({ ok: problems.length === 0, problems })}\n`)
  else if (problems.length === 0) terminal.out(`${file ?? "The environment"} is ok.\n`)
  else for (const { path, message } of problems) terminal.out(`${path}: ${message}\n`)
  return problems.length === 0 ? exitCodes.ok.code : exitCodes.config.code
}
