import { open, readFile, rename } from "node:fs/promises"
import { dirname } from "node:path"

/** Replaces a small file whole: after a crash it is the old one or the new one. */
export async function replaceFile(path: string, text: string, { sync }: { readonly sync: boolean }): Promise<void> {
  const draft = `${path}.new`
  const file = await open(draft, "w", 0o600)
  try {
    await file.writeFile(text)
    if (sync) await file.datasync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
  if (sync) await syncFolder(dirname(path))
}

/** Makes new and removed names of a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r")
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** What a file of JSON holds; undefined when it is missing or not JSON. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as unknown
  } catch {
    return undefined
  }
}
