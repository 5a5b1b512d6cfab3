import { basename, extname } from "node:path"
import ts from "typescript"
import { expect, test } from "vitest"
import { read, trackedFiles } from "./tracked-files.js"

const sources = [".ts", ".tsx", ".js", ".mjs", ".css", ".rs", ".c", ".h", ".py", ".sh"]
const lineLimit = 350
const vagueWords = ["manager", "helper", "util", "common", "data"]
// Words that nobody searches for: auth, not entry; live, not board; response, not answer; lastVersion, not said.
const privateWords = ["said", "told", "asked", "heard", "whats", "front", "board", "answers", "entry", "door", "ground"]
const binary = [".png", ".bin", ".pcap", ".gz"]

// Where packages come from is set on the machine that installs them; a tracked address would bypass its mirror.
const registryHosts =
  /registry\.(npmjs|yarnpkg|npmmirror)\.|\b(index|static)?\.?crates\.io\b|\b(deb|security|ftp)\.debian\.org|\bpypi\.org|pythonhosted\.org|maven\.(org|apache\.org)|proxy\.golang\.org/

function registryLines(path: string): string[] {
  return read(path)
    .split("\n")
    .filter((line) => registryHosts.test(line))
    .filter((line) => !(basename(path) === "Cargo.lock" && line.startsWith('source = "registry+')))
    .map((line) => `${path}: ${line.trim()}`)
}

test("no tracked file names the address of a package registry", () => {
  const texts = trackedFiles.filter((path) => !binary.includes(extname(path)))
  expect(texts.length).toBeGreaterThan(50)
  expect(texts.flatMap(registryLines)).toEqual([])
})

test(`no module is longer than ${lineLimit} lines`, () => {
  const modules = trackedFiles.filter((path) => sources.includes(extname(path)))
  const lengths = modules.map((path) => ({ path, lines: read(path).split("\n").length - 1 }))
  expect(lengths.filter(({ lines }) => lines > lineLimit)).toEqual([])
})

test("files and folders are named for what they hold", () => {
  const names = new Set(trackedFiles.flatMap((path) => path.split("/")))
  const banned = [...names].filter((name) =>
    name
      .split(/[-_.]/)
      .some((word) => vagueWords.includes(word.replace(/s$/, "")) || privateWords.includes(word.replace(/s$/, ""))),
  )
  expect(banned).toEqual([])
})

/** Words of a camelCase or snake_case name, in small letters. */
const wordsOf = (name: string) => name.split(/(?=[A-Z])|_/).map((word) => word.toLowerCase())

function identifiersOf(path: string): readonly string[] {
  if (/\.tsx?$/.test(path)) {
    const names: string[] = []
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) names.push(node.text.replace("#", ""))
      ts.forEachChild(node, visit)
    }
    visit(ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest))
    return names
  }
  const code = read(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"/g, "")
  return code.match(/[A-Za-z_]\w*/g) ?? []
}

// Parses every file: seconds, on a machine that has other work.
test("no name has a word of a language of our own", () => {
  // An entry of a map, the front of a queue and the answer in an exchange are what everybody calls them.
  const banned = privateWords.filter((word) => !["entry", "front", "answers"].includes(word))
  const isBanned = (name: string) =>
    wordsOf(name).some((word, i) => banned.includes(word) || (i === 0 && ["most", "least", "fewest"].includes(word)))
  const sourceFiles = trackedFiles.filter((path) => /\.(tsx?|rs|c|h)$/.test(path) && !path.endsWith("kernel.h"))
  expect(sourceFiles.length).toBeGreaterThan(300)
  const found = sourceFiles.flatMap((path) =>
    [...new Set(identifiersOf(path))].filter(isBanned).map((name) => `${path}: ${name}`),
  )
  expect(found).toEqual([])
}, 60_000)

test("each kernel source begins with its licence", () => {
  const kernel = trackedFiles.filter((path) => /^agent-bridge\/bpf\/.*\.[ch]$/.test(path))
  expect(kernel.length).toBeGreaterThan(0)
  const spdx = "SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)"
  expect(kernel.filter((path) => !read(path).split("\n", 1)[0]?.includes(spdx))).toEqual([])
})

test("the CI entry calls the test command of the README and nothing that differs", () => {
  const commands = read(".ci/run")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
  expect(commands).toEqual(["set -euo pipefail", 'cd "$(dirname "$0")/.."', "exec npm test"])
})
