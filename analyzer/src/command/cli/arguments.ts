import { parseArgs } from "node:util"
import { nearest } from "../../config/nearest.js"
import { AppError } from "../../errors.js"
import { commands } from "./help.js"
import type { Command } from "./help.js"

/** A command line that was understood. */
export interface Arguments {
  readonly command: Command
  readonly operands: readonly string[]
  readonly values: Readonly<Record<string, string | undefined>>
  readonly switches: ReadonlySet<string>
}

/** Reads a command line. Without a command it is `up`. Throws AppError "usage" with what was probably meant. */
export function parseArguments(args: readonly string[]): Arguments {
  const [first] = args
  const named = first !== undefined && !first.startsWith("-")
  const command = commands.find(({ name }) => name === (named ? first : "up"))
  if (command === undefined)
    throw unknown(
      "command",
      first ?? "",
      commands.map(({ name }) => name),
      "backflow --help",
    )
  const { values, positionals } = parse(command, named ? args.slice(1) : args)
  if (command.operands === undefined && positionals.length > 0) {
    throw usage(command, `backflow ${command.name} takes no argument, and "${positionals[0] ?? ""}" was given.`)
  }
  if (positionals.length > 1)
    throw usage(command, `backflow ${command.name} takes one ${command.operands ?? "argument"}.`)
  const given = Object.entries(values)
  return {
    command,
    operands: positionals,
    values: Object.fromEntries(given.filter((entry): entry is [string, string] => typeof entry[1] === "string")),
    switches: new Set(given.filter(([, value]) => value === true).map(([name]) => name)),
  }
}

function parse(command: Command, args: readonly string[]) {
  const options = Object.fromEntries(
    command.options.map(({ name, value }) => [
      name,
      { type: value === undefined ? ("boolean" as const) : ("string" as const) },
    ]),
  )
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    const name = /^Unknown option '-*([^']+)'/.exec(message)?.[1]
    if (name !== undefined) {
      throw unknown(
        "option",
        `--${name}`,
        command.options.map((option) => `--${option.name}`),
        `backflow ${command.name} --help`,
      )
    }
    throw usage(command, `${message.split("\n")[0]?.replace(/\.$/, "") ?? ""}.`)
  }
}

/** A usage error of one command. */
export function usage(command: Command, message: string): AppError {
  return new AppError("usage", message, `See: backflow ${command.name} --help`)
}

function unknown(what: string, name: string, known: readonly string[], help: string): AppError {
  const close = nearest(name, known)
  return new AppError(
    "usage",
    `There is no ${what} "${name}".`,
    close === undefined ? `See: ${help}` : `Did you mean ${close}?`,
  )
}
