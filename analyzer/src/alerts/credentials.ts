import { readFileSync } from "node:fs"
import { AppError, messageOf } from "../errors.js"

/** What the file of a setting holds. Throws AppError "config" that names the setting. */
export function credential(setting: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (thrown) {
    const remedy = "Name a file that this user may read."
    throw new AppError("config", `${setting} cannot be read: ${messageOf(thrown)}.`, remedy, { cause: thrown })
  }
}

/** A password or token: editors end files with a line end that is no part of it. */
export function secretText(setting: string, path: string): string {
  const text = credential(setting, path).toString("utf8").trim()
  if (text !== "") return text
  throw new AppError("config", `${setting} names an empty file: ${path}.`, "Write the secret into it.")
}
