import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { AppError, messageOf } from "../errors.js"
import { readOwnFile, UntrustedFile } from "./trusted-paths.js"

/** Of a token that is made here: 256 bits. */
const tokenBytes = 32
/** What a person puts in a file must not be guessed within years at a thousand tries a second. */
const minCharacters = 16

const remedies = {
  file: "Name a file that this user may read.",
  empty: "Write the secret into it.",
  state: "Let this user write there, or name a file that holds a token.",
} as const

export interface Token {
  readonly value: string
  /** Where those who must show it find it. */
  readonly file: string
}

/** What the file of a setting holds. Throws AppError "config" that names setting and file. */
export function fileOf(setting: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (thrown) {
    const text = `${setting} cannot be read: ${path}: ${reasonOf(thrown)}.`
    throw new AppError("config", text, remedies.file, { cause: thrown })
  }
}

/**
 * A password or token: editors end files with a line end that is no part of it. Throws AppError "config" for a file that
 * cannot be read, and for an empty one, since an empty secret would let everybody in.
 */
export function secretOf(setting: string, path: string): string {
  const text = fileOf(setting, path).toString("utf8").trim()
  if (text !== "") return text
  throw new AppError("config", `${setting} is not usable: ${path} is empty.`, remedies.empty)
}

/**
 * The token in the file of a setting. Where none is set, that in `ownFile`, which is made at random at the first use, and
 * readable by its owner alone; one that somebody else made or could read or change is refused. Throws AppError "config" for a
 * file that cannot be used, and for a token that is too short.
 */
export function tokenIn(setting: string, path: string | undefined, ownFile: string): Token {
  const file = path ?? ownFile
  const value = (path === undefined ? ownToken(setting, ownFile) : fileOf(setting, file).toString("utf8")).trim()
  if (value.length >= minCharacters && /^[\x21-\x7e]+$/.test(value)) return { value, file }
  throw new AppError(
    "config",
    `${setting} is not usable: a token has at least ${minCharacters} printable characters without spaces, and ${file} holds none.`,
    `Create one: head -c 32 /dev/urandom | base64 > ${file}`,
  )
}

function ownToken(setting: string, file: string): string {
  createToken(setting, file)
  try {
    return readOwnFile(file)
  } catch (thrown) {
    const text = `${setting} is not set, and the token that was made for it is refused: ${reasonOf(thrown)}.`
    throw new AppError("config", text, thrown instanceof UntrustedFile ? thrown.remedy : remedies.file, {
      cause: thrown,
    })
  }
}

function createToken(setting: string, file: string): void {
  try {
    writeFileSync(file, `${randomBytes(tokenBytes).toString("base64url")}\n`, { mode: 0o600, flag: "wx" })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return
    const text = `${setting} is not set, and no token can be created: ${file}: ${reasonOf(thrown)}.`
    throw new AppError("config", text, remedies.state, { cause: thrown })
  }
}

/**
 * Whether what somebody shows is the secret. Digests are compared, in constant time: neither the length nor a prefix of the
 * secret shows in how long it takes. An empty secret is shown by nobody.
 */
export function isSameSecret(shown: string, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(shown), digest(secret)) && secret !== ""
}

/** "ENOENT: no such file or directory", without the call and the path, which Node adds for some errors only. */
function reasonOf(thrown: unknown): string {
  return messageOf(thrown).replace(/, \w+( '.*')?$/, "")
}
