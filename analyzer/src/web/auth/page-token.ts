import { randomBytes } from "node:crypto"
import { chmodSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { AppError, messageOf } from "../../errors.js"

/** 256 bits: nobody guesses it, at any rate. */
const tokenBytes = 32
/** What a person puts in a file must not be guessed within years at a thousand tries a second. */
const minCharacters = 16

export interface PageToken {
  readonly value: string
  readonly file: string
}

/**
 * The token that readers of the page must show: the one of `file`, else one of its own in STATE/page-token, made at random
 * at the first start and readable by this user alone. Throws AppError "config" for a file that cannot be used.
 */
export function pageToken(state: string, file: string | undefined): PageToken {
  if (file !== undefined) return { value: checked(read(file, "page.token_file"), file), file }
  const own = join(state, "page-token")
  try {
    writeFileSync(own, `${randomBytes(tokenBytes).toString("base64url")}\n`, { mode: 0o600, flag: "wx" })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw unusable(own, "The page's token", thrown)
    chmodSync(own, 0o600)
  }
  return { value: checked(read(own, "The page's token"), own), file: own }
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, "utf8").trim()
  } catch (thrown) {
    throw unusable(file, what, thrown)
  }
}

function checked(value: string, file: string): string {
  if (value.length >= minCharacters && /^[\x21-\x7e]+$/.test(value)) return value
  throw new AppError(
    "config",
    `${file} holds no usable token: it needs at least ${minCharacters} characters, printable and without spaces.`,
    `Create one: head -c 32 /dev/urandom | base64 > ${file}`,
  )
}

function unusable(file: string, what: string, thrown: unknown): AppError {
  const remedy = "Name a file that this user may read."
  return new AppError("config", `${what} in ${file} is not usable: ${messageOf(thrown)}.`, remedy, { cause: thrown })
}
