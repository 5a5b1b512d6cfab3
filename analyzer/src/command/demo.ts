import { existsSync } from "node:fs"
import { AppError } from "../errors.js"

/** The demonstration lies with the tests, because it needs the same namespaces; from this package it is not installed. */
const program = new URL("../../../test/dist/demo/demo.js", import.meta.url)

/** Runs it; its exit code. */
export async function runDemo(): Promise<number> {
  if (!existsSync(program)) throw new AppError("usage", "The demonstration is not built", "Run: npm start -- --demo")
  const { runDemo: run } = (await import(program.href)) as { readonly runDemo: () => Promise<number> }
  return run()
}
