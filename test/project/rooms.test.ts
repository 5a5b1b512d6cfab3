import { readFileSync, readdirSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { describe, expect, it } from "vitest"
import { read, root, trackedFiles } from "./tracked-files.js"

const source = join(root, "analyzer/src")
const rooms = JSON.parse(readFileSync(join(root, "analyzer/rooms.json"), "utf8")) as Record<string, readonly string[]>
const production = trackedFiles
  .filter((file) => file.startsWith("analyzer/src/") && /\.ts$/.test(file) && !/\.test\.ts$/.test(file))
  .map((file) => relative("analyzer/src", file))
  .filter((file) => !file.startsWith("testing/"))

/** Files of this source that a file imports, types included. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(source, file), "utf8")
  return [...text.matchAll(/(?:from|import\() ?"(\.{1,2}\/[^"]+)\.js"/g)].map(([, specifier = ""]) =>
    relative(source, resolve(source, dirname(file), `${specifier}.ts`)),
  )
}

/** The nodes of one circle; empty where there is none. */
function circle(graph: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const done = new Set<string>()
  const walk = (node: string, path: readonly string[]): readonly string[] => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node]
    if (done.has(node)) return []
    for (const next of graph.get(node) ?? []) {
      const found = walk(next, [...path, node])
      if (found.length > 0) return found
    }
    done.add(node)
    return []
  }
  for (const node of graph.keys()) {
    const found = walk(node, [])
    if (found.length > 0) return found
  }
  return []
}

function graphOf(nodeOf: (file: string) => string): ReadonlyMap<string, ReadonlySet<string>> {
  const graph = new Map<string, Set<string>>()
  for (const file of production) {
    const from = nodeOf(file)
    const targets = graph.get(from) ?? new Set<string>()
    graph.set(from, targets)
    for (const to of importsOf(file).map(nodeOf)) if (to !== from) targets.add(to)
  }
  return graph
}

describe("analyzer/rooms.json", () => {
  it("names every room, and only rooms", () => {
    const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(Object.keys(rooms).sort()).toEqual(folders.map(({ name }) => name).filter((name) => name !== "testing").sort()) // prettier-ignore
  })

  it("lets a room import only what stands before it", () => {
    const names = Object.keys(rooms)
    const upward = names.flatMap((room, i) => (rooms[room] ?? []).filter((other) => !names.slice(0, i).includes(other)))
    expect(upward).toEqual([])
  })

  it("allows nothing that is not used", () => {
    const used = graphOf((file) => file.split("/")[0] ?? "")
    const unused = Object.entries(rooms).flatMap(([room, below]) =>
      below.filter((other) => used.get(room)?.has(other) !== true).map((other) => `${room} -> ${other}`),
    )
    expect(unused).toEqual([])
  })
})

describe("the analyzer's source", () => {
  it("has no loose file but errors.ts", () => {
    const loose = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isFile())
    expect(loose.map(({ name }) => name)).toEqual(["errors.ts"])
  })

  it("has no circle of files", () => {
    expect(circle(graphOf((file) => file))).toEqual([])
  })

  it("has no circle of folders", () => {
    expect(circle(graphOf(dirname))).toEqual([])
  })

  it("tells of each detector what its claim books forgot for want of room", () => {
    const keeping = production
      .filter((file) => importsOf(file).includes("detectors/claims/claim-book.ts"))
      .map((file) => dirname(file))
    const silent = [...new Set(keeping)].filter((folder) => {
      const [, name = ""] = folder.split("/")
      return !readFileSync(join(source, folder, `${name}.ts`), "utf8").includes("evictedClaims:")
    })
    expect(keeping.length).toBeGreaterThan(4)
    expect(silent).toEqual([])
  })
})

describe("the map in CONTRIBUTING", () => {
  const [, table = ""] = /<!-- map -->([\s\S]*)<!-- \/map -->/.exec(read("CONTRIBUTING.md")) ?? []
  const mapped = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, folder = ""]) => folder)

  it("names the folders that are there, and all of them", () => {
    const parents = ["agent-bridge/src", "analyzer/src", "dashboards", "test"]
    const folders = new Set(
      trackedFiles.flatMap((file) => {
        const parent = parents.find((one) => file.startsWith(`${one}/`))
        const [folder, ...rest] = file.slice((parent?.length ?? 0) + 1).split("/")
        return parent === undefined || folder === undefined || rest.length === 0 ? [] : [`${parent}/${folder}`]
      }),
    )
    expect([...mapped].sort()).toEqual([...folders, "agent-bridge/bpf", "proto"].sort())
  })

  it("has the rooms of the analyzer in the order of their floors", () => {
    const order = mapped.flatMap((folder) => /^analyzer\/src\/(.*)$/.exec(folder)?.slice(1) ?? [])
    expect(order).toEqual([...Object.keys(rooms), "testing"])
  })
})
