import { dirname, join, normalize } from "node:path"
import { expect, test } from "vitest"
import { anchors, pages, prose } from "./texts.js"
import { read, trackedFiles } from "./tracked-files.js"

const readmeLimit = 150

interface Link {
  readonly page: string
  readonly target: string
  /** From the top folder; the page itself for a link within it. */
  readonly file: string
  readonly anchor: string
}

/** Links and pictures that lead into the checkout. */
const linksOf = (page: string): Link[] =>
  [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = "", anchor = ""] = target.split("#", 2)
      const file = path === "" ? page : normalize(join(dirname(page), path)).replace(/\/$/, "")
      return { page, target, file, anchor }
    })

const isTracked = (path: string): boolean =>
  trackedFiles.includes(path) || trackedFiles.some((file) => file.startsWith(`${path}/`))

const links = pages.flatMap(linksOf)

test(`the README has ${readmeLimit} lines at most`, () => {
  expect(read("README.md").split("\n").length - 1).toBeLessThanOrEqual(readmeLimit)
})

test("every relative link leads to a tracked file or folder", () => {
  expect(links.length).toBeGreaterThan(50)
  expect(links.filter(({ file }) => !isTracked(file)).map(({ page, target }) => `${page}: ${target}`)).toEqual([])
})

test("every anchor is a heading of the page that it leads to", () => {
  const anchored = links.filter(({ anchor, file }) => anchor !== "" && file.endsWith(".md") && isTracked(file))
  expect(anchored.length).toBeGreaterThan(10)
  const broken = anchored.filter(({ file, anchor }) => !anchors(file).includes(anchor))
  expect(broken.map(({ page, target }) => `${page}: ${target}`)).toEqual([])
})

test("every topic of docs/ can be reached from the README and from docs/README.md", () => {
  const topics = pages.filter((path) => /^docs\/(?!README)[^/]+\.md$/.test(path))
  expect(topics.length).toBeGreaterThan(5)
  for (const index of ["README.md", "docs/README.md"]) {
    const reached = new Set(linksOf(index).map(({ file }) => file))
    expect(topics.filter((topic) => !reached.has(topic))).toEqual([])
  }
})
