import { randomBytes } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { AppError, messageOf } from "../../errors.js"

/** Shortest token that is taken: a word of a dictionary is shorter. */
const minCharacters = 16

/**
 * The token in `file`; without one, that in `stateFile`, which is made at the first use and readable by its owner alone.
 * Throws AppError "config" for a file that cannot be read, and for a token of fewer than 16 characters.
 */
export function tokenFrom(file: string | undefined, stateFile: string): string {
  try {
    if (file === undefined) makeOnce(stateFile)
    const token = readFileSync(file ?? stateFile, "utf8").trim()
    if (token.length < minCharacters) throw new Error(`it has fewer than ${minCharacters} characters`)
    return token
  } catch (thrown) {
    throw new AppError(
      "config",
      `The token of store.serve in ${file ?? stateFile} cannot be used: ${messageOf(thrown)}.`,
      "Put 16 or more random characters there, for example: openssl rand -hex 24.",
      { cause: thrown },
    )
  }
}

function makeOnce(path: string): void {
  try {
    writeFileSync(path, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown
  }
}
