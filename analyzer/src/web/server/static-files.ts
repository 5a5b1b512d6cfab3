import { existsSync, readFileSync, readdirSync } from "node:fs"
import { extname, join, relative, sep } from "node:path"
import { gzipSync } from "node:zlib"

export interface StaticFile {
  readonly body: Buffer
  /** Undefined where it would not be smaller. */
  readonly gzip: Buffer | undefined
  readonly type: string
  readonly cache: string
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
}

/** A page of this size is a mistake in the build, in bytes. */
const maxBytes = 16_000_000

/**
 * The files of the built page by their path in a URL, read once: a request cannot name any other file. Empty where the page
 * was not built.
 */
export function staticFiles(folder: string): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>()
  if (!existsSync(folder)) return files
  let bytes = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = types[extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const file = join(entry.parentPath, entry.name)
    const body = readFileSync(file)
    bytes += body.length
    if (bytes > maxBytes) throw new RangeError(`the page in ${folder} is larger than ${maxBytes} bytes`)
    const path = `/${relative(folder, file).split(sep).join("/")}`
    const gzip = gzipSync(body, { level: 9 })
    files.set(path, { body, gzip: gzip.length < body.length ? gzip : undefined, type, cache: cacheOf(path) })
  }
  const index = files.get("/index.html")
  if (index !== undefined) files.set("/", index)
  return files
}

/** The build names the files under assets/ by a hash of what is in them: a name never changes its meaning. */
function cacheOf(path: string): string {
  return path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache"
}
