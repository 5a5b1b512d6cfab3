import { existsSync } from "node:fs"
import { AppError } from "../errors.js"
import type { Arguments } from "./cli/arguments.js"

/** The demonstration lies with the tests, because it needs the same namespaces; from this package it is not installed. */
const program = new URL("../../../test/dist/demo/demo.js", import.meta.url)

/** Runs it with the options that it takes, `state` and `collector`; its exit code. */
export async function runDemo({ values }: Arguments): Promise<number> {
  if (!existsSync(program)) throw new AppError("usage", "The demonstration is not built", "Run: npm start -- --demo")
  const { runDemo: run } = (await import(program.href)) as {
    readonly runDemo: (options: Arguments["values"]) => Promise<number>
  }
  return run(values)
}
