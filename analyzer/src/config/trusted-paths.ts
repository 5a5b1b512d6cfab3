/** Whether others can write to a path, or put something else in its place: what is read and written there is then theirs. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, realpathSync, statSync } from "node:fs"
import type { Stats } from "node:fs"
import { open } from "node:fs/promises"
import type { FileHandle } from "node:fs/promises"
import { dirname, join, parse, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"

/** What is wrong, and what mends it. */
export interface PathProblem {
  readonly text: string
  readonly remedy: string
}

const writableByGroup = 0o020
const writableByOthers = 0o002
const sticky = 0o1000
const usableByOthers = 0o077

/** Links that one path may lead over: the kernel's own limit (path_resolution(7)). */
const maxLinks = 40

/** Of this process; root where there are no user ids. */
function ownUid(): number {
  return process.geteuid?.() ?? 0
}

/**
 * Who may own the folders above: whoever owns the program has been trusted with more (a checkout belongs to its user, also
 * under sudo), and so has the owner of "/", which is not root by number in a user namespace.
 */
function trustedOwners(): readonly number[] {
  return [ownUid(), 0, statSync(fileURLToPath(import.meta.url)).uid, statSync("/").uid]
}

/**
 * What is wrong with a folder for secrets, sockets and process ids; undefined when nothing is, and for what is not there
 * yet. The folder is to be this user's or root's and writable by no other; what it stands in may not let others put another in
 * its place: folders that others can write are sticky, as /tmp is.
 */
export function folderProblem(path: string): PathProblem | undefined {
  const parent = parentsProblem(path, maxLinks)
  if (parent !== undefined) return parent
  const found = statOf(path)
  if (found === undefined) return undefined
  if (found.uid !== ownUid() && found.uid !== 0) return foreign(path, found)
  if ((found.mode & (writableByGroup | writableByOthers)) !== 0) {
    return { text: `${path} can be written by other users`, remedy: `Look at what is in it, then chmod 700 ${path}.` }
  }
  return undefined
}

function parentsProblem(path: string, linksLeft: number): PathProblem | undefined {
  const absolute = resolve(path)
  const { root } = parse(absolute)
  let current = root
  for (const name of absolute.slice(root.length).split(sep)) {
    const folder = replaceableIn(current)
    if (folder !== undefined) return folder
    current = join(current, name)
    const found = statOf(current, lstatSync)
    if (found === undefined) return undefined
    if (!isTrusted(found)) return foreign(current, found)
    if (found.isSymbolicLink()) {
      if (linksLeft === 0) return { text: `${path} leads over too many links`, remedy: "Name the folder itself." }
      const beyond = parentsProblem(realpathSync(current), linksLeft - 1)
      if (beyond !== undefined) return beyond
      current = realpathSync(current)
    }
  }
  return undefined
}

/** A folder in which others can put something in the place of what is there. */
function replaceableIn(folder: string): PathProblem | undefined {
  const found = statOf(folder)
  if (found === undefined || (found.mode & sticky) !== 0) return undefined
  // A user's own group has the user's number: the umask 002 of many distributions stands on that.
  const isGroupWritable = (found.mode & writableByGroup) !== 0 && found.gid !== found.uid
  if ((found.mode & writableByOthers) === 0 && !isGroupWritable) return undefined
  return {
    text: `${folder} can be written by other users`,
    remedy: `chmod go-w ${folder}, or name a folder elsewhere.`,
  }
}

function isTrusted({ uid }: Stats): boolean {
  return trustedOwners().includes(uid)
}

function foreign(path: string, { uid }: Stats): PathProblem {
  const own = ownUid()
  return {
    text: `${path} belongs to uid ${uid}, and this is uid ${own}`,
    remedy: `Look at what is in it, then chown -R ${own} ${path}, or name a folder elsewhere.`,
  }
}

function statOf(path: string, look: (path: string) => Stats = statSync): Stats | undefined {
  try {
    return look(path)
  } catch {
    return undefined
  }
}

/** Reads a file that this program itself made. Throws UntrustedFile when it is a link, another user's, or open to others. */
export function readOwnFile(path: string): string {
  const file = openOwn(path)
  try {
    const found = fstatSync(file)
    if (!found.isFile()) throw new UntrustedFile(`${path} is no ordinary file`, `Remove it: rm ${path}.`)
    if (found.uid !== ownUid() && found.uid !== 0) {
      throw new UntrustedFile(
        `${path} belongs to uid ${found.uid}, and this is uid ${ownUid()}`,
        `Remove it: rm ${path}.`,
      )
    }
    if ((found.mode & usableByOthers) !== 0) {
      throw new UntrustedFile(
        `${path} can be read or written by other users`,
        `Remove it, and a new one is made: rm ${path}.`,
      )
    }
    return readFileSync(file, "utf8")
  } finally {
    closeSync(file)
  }
}

function openOwn(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (thrown) {
    if (codeOf(thrown) === "ELOOP") throw new UntrustedFile(`${path} is a link`, `Remove it: rm ${path}.`)
    throw thrown
  }
}

/** Somebody else made or can change a file that only this user may. */
export class UntrustedFile extends Error {
  override readonly name = "UntrustedFile"
  readonly remedy: string

  constructor(message: string, remedy: string) {
    super(message)
    this.remedy = remedy
  }
}

/**
 * Opens a file that grows, for its owner alone when it is made. In a folder that others can write it follows no link, and
 * appends to no file that is another user's or has a second name: what leads there may have been put there for this program.
 */
export async function openForAppend(path: string): Promise<FileHandle> {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants
  const folder = statOf(dirname(resolve(path)))
  const isShared = folder !== undefined && (folder.mode & (writableByGroup | writableByOthers)) !== 0
  const flags = O_APPEND | O_CREAT | O_WRONLY | (isShared ? O_NOFOLLOW : 0)
  const file = await open(path, flags, 0o600).catch((thrown: unknown) => {
    if (isShared && codeOf(thrown) === "ELOOP") {
      throw new UntrustedFile(`${path} is a link in a folder that other users can write`, "Name a file elsewhere.")
    }
    throw thrown
  })
  const found = await file.stat()
  const isPlanted = found.isFile() && ((found.uid !== ownUid() && found.uid !== 0) || found.nlink > 1)
  if (!isShared || !isPlanted) return file
  await file.close()
  throw new UntrustedFile(
    `${path}, in a folder that other users can write, belongs to uid ${found.uid} or has a second name`,
    "Remove it, or name a file elsewhere.",
  )
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : undefined
}
