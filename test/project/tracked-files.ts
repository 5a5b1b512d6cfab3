import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** The top folder of the checkout. */
export const root = join(import.meta.dirname, "..", "..")

/** Paths, relative to {@link root}, of the files that git tracks and that are there. */
export const trackedFiles: readonly string[] = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" })
  .split("\0")
  .filter((path) => path !== "" && existsSync(join(root, path)))

/** The text of one tracked file. */
export const read = (path: string): string => readFileSync(join(root, path), "utf8")
