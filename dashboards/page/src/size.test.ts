import { readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { expect, it } from "vitest"

const built = join(import.meta.dirname, "..", "dist")
/** Over a slow line at night the page must still open at once. */
const mostBytes = 200_000

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)],
  )
}

it(`is no more than ${mostBytes / 1_000} kB on the wire, and loads nothing from elsewhere`, () => {
  const all = files(built).map((path) => ({ path, bytes: readFileSync(path) }))
  expect(all.some(({ path }) => path.endsWith(".js"))).toBe(true)
  expect(all.reduce((sum, { bytes }) => sum + gzipSync(bytes).length, 0)).toBeLessThan(mostBytes)
  const index = readFileSync(join(built, "index.html"), "utf8")
  expect(
    [...index.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target = ""]) => target).filter((t) => !t.startsWith("./")),
  ).toEqual([])
  expect(index).not.toMatch(/<style|<script(?![^>]*src=)/)
})
