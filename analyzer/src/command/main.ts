import { existsSync } from "node:fs"
import { checkConfig, loadConfig } from "../config/load.js"
import { folderProblem } from "../config/trusted-paths.js"
import type { Config } from "../config/load.js"
import { AppError, messageOf } from "../errors.js"
import { parseArguments } from "./cli/arguments.js"
import type { Arguments } from "./cli/arguments.js"
import { exitCodes } from "./cli/exit-codes.js"
import { helpText } from "./cli/help.js"
import { list } from "./list/list.js"
import type { Terminal } from "./cli/terminal.js"
import { version } from "../config/version.js"

/** Runs one command line and gives its exit code. Nothing is thrown: an error is one sentence and its remedy. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  if (args[0] === "--help" || args[0] === "-h" || args[0] === "help") {
    terminal.out(helpText())
    return exitCodes.ok.code
  }
  if (args[0] === "--version") return main(["version"], terminal)
  try {
    const parsed = parseArguments(args)
    if (parsed.switches.has("help")) {
      terminal.out(helpText(parsed.command))
      return exitCodes.ok.code
    }
    return await run(parsed, terminal)
  } catch (thrown) {
    return report(thrown, terminal)
  }
}

async function run(args: Arguments, terminal: Terminal): Promise<number> {
  switch (args.command.name) {
    case "findings":
    case "incidents":
    case "connections":
      await list(args.command.name, args, configOf(args, terminal), terminal)
      return exitCodes.ok.code
    case "check-config":
      return checkConfigCommand(args, terminal)
    // Loaded for these alone: they bring in the engine and the Kafka client.
    case "replay":
      return (await import("./replay.js")).replayCommand(args, configOf(args, terminal), terminal)
    case "schema":
      return (await import("./schema.js")).schemaCommand(args, configOf(args, terminal), terminal)
    case "topics":
      return (await import("./topics.js")).topicsCommand(args, configOf(args, terminal), terminal)
    case "doctor":
      return (await import("./doctor/doctor.js")).doctorCommand(args, configOf(args, terminal), terminal)
    case "prove":
      return (await import("./prove.js")).proveCommand(args, configOf(args, terminal), terminal)
    case "demo":
      return runDemo(args)
    case "version":
      terminal.out(`backflow ${version()}\n`)
      return exitCodes.ok.code
    default: {
      // Loaded for these alone: they bring in the engine and the gRPC server.
      if (args.switches.has("demo")) return runDemo(args)
      const { runUntilStopped } = await import("./up/up.js")
      return runUntilStopped(args, configOf(args, terminal), terminal)
    }
  }
}

function configOf({ values }: Arguments, terminal: Terminal): Config {
  return loadConfig({
    file: values["config"],
    environment: terminal.environment,
    flags: {
      state: values["state"],
      "listen.address": values["listen"],
      "page.address": values["page"],
      "store.url": values["store"],
      "store.cluster": values["cluster"],
      "store.serve.address": values["serve-store"],
      "alerts.kafka.brokers": values["kafka"]?.split(",").map((broker) => broker.trim()),
    },
  })
}

/** A folder that a start would refuse. */
function stateProblems(state: string): readonly { readonly path: string; readonly message: string }[] {
  const problem = folderProblem(state)
  return problem === undefined ? [] : [{ path: "state", message: `${problem.text}. ${problem.remedy}` }]
}

/** `backflow check-config`: prints every error; the exit code. */
function checkConfigCommand({ operands, switches }: Arguments, terminal: Terminal): number {
  const [file] = operands
  const checked = checkConfig({ file, environment: terminal.environment })
  const problems = "problems" in checked ? checked.problems : stateProblems(checked.config.state)
  if (switches.has("json")) terminal.out(`${JSON.stringify({ ok: problems.length === 0, problems })}\n`)
  else if (problems.length === 0) terminal.out(`${file ?? "The environment"} is ok.\n`)
  else for (const { path, message } of problems) terminal.out(`${path}: ${message}\n`)
  return problems.length === 0 ? exitCodes.ok.code : exitCodes.config.code
}

/** The demo lies with the tests, because it needs the same namespaces; from this package it is not installed. */
const demo = new URL("../../../test/dist/demo/demo.js", import.meta.url)

/** Runs it with the options that it takes, `state` and `collector`; its exit code. */
async function runDemo({ values }: Arguments): Promise<number> {
  if (!existsSync(demo)) throw new AppError("usage", "The demo is not built", "Run: npm start -- --demo")
  const program = (await import(demo.href)) as {
    readonly runDemo: (options: Arguments["values"]) => Promise<number>
  }
  return program.runDemo(values)
}

/** Prints an error for a person; the exit code that goes with it. */
function report(thrown: unknown, terminal: Terminal): number {
  if (thrown instanceof AppError) {
    terminal.note(`backflow: ${sentence(thrown.message)}\n${sentence(thrown.remedy)}`)
    return exitCodes[thrown.code].code
  }
  terminal.note(`backflow: ${messageOf(thrown)}`)
  return exitCodes.failed.code
}

/** With a capital, unless it begins with a name such as listen.address or backflow, and a full stop. Lists of problems stay as they are. */
function sentence(text: string): string {
  const started = /^(?!backflow )[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text
  return started.includes("\n") || /[.!?]$/.test(started) ? started : `${started}.`
}
