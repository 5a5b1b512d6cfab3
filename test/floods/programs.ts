import { execFileSync } from "node:child_process"
import { chmodSync, readdirSync } from "node:fs"
import { join } from "node:path"

const sources = join(import.meta.dirname, "programs")

export interface Programs {
  /** What floods: programs/flood.c says how it is called. */
  readonly flood: string
  /** What must be found: programs/canary.c. */
  readonly canary: string
}

/** Compiles both into the folder. */
export function compilePrograms(folder: string): Programs {
  const floods = readdirSync(sources).filter((name) => /^flood.*\.c$/.test(name))
  // The flood becomes nobody, and copies itself from here.
  chmodSync(folder, 0o755)
  return { flood: compile(folder, "flood", floods), canary: compile(folder, "canary", ["canary.c"]) }
}

function compile(folder: string, name: string, files: readonly string[]): string {
  const program = join(folder, name)
  const paths = files.map((file) => join(sources, file))
  execFileSync("cc", ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, ...paths], { stdio: "pipe" })
  return program
}
