import { readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { expect, it } from "vitest"

const dist = join(import.meta.dirname, "..", "dist")
/** Over a slow network at night the page must still open at once. */
const maxBytes = 200_000

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((file) =>
    file.isDirectory() ? files(join(folder, file.name)) : [join(folder, file.name)],
  )
}

it(`is no more than ${maxBytes / 1_000} kB on the wire, and loads nothing from elsewhere`, () => {
  const all = files(dist).map((path) => ({ path, bytes: readFileSync(path) }))
  expect(all.some(({ path }) => path.endsWith(".js"))).toBe(true)
  expect(all.reduce((sum, { bytes }) => sum + gzipSync(bytes).length, 0)).toBeLessThan(maxBytes)
  const index = readFileSync(join(dist, "index.html"), "utf8")
  expect(
    [...index.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target = ""]) => target).filter((t) => !t.startsWith("./")),
  ).toEqual([])
  expect(index).not.toMatch(/<style|<script(?![^>]*src=)/)
})
