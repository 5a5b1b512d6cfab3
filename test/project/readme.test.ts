import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { read, root } from "./tracked-files.js"

const texts = ["README.md", "CONTRIBUTING.md"]
const backflow = join(root, "analyzer", "bin", "backflow.js")

function blocks(language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms")
  return texts.flatMap((path) => [...read(path).matchAll(fence)].map(([, text = ""]) => text))
}

/** Lines of the shell blocks, without comments. */
const commandLines = () =>
  blocks("sh")
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "")

test("every npm command that the texts name is a script of the package it runs in", () => {
  const scripts = (folder: string) =>
    Object.keys((JSON.parse(read(join(folder, "package.json"))) as { scripts: Record<string, string> }).scripts)
  const named = commandLines().flatMap((line) => {
    const match = /^(?:sudo )?npm (?:run )?(start|test|[a-z:-]+)(?: -w ([a-z-]+))?/.exec(line)
    return match === null ? [] : [{ line, script: match[1] ?? "", folder: match[2] ?? "." }]
  })
  expect(named.map(({ script }) => script)).toEqual(expect.arrayContaining(["start", "test"]))
  expect(named.filter(({ script, folder }) => !scripts(folder).includes(script))).toEqual([])
})

test("every backflow command that the texts name is one that the program knows", () => {
  const named = commandLines().flatMap((line) => /\bbackflow ([a-z][a-z-]*)/.exec(line)?.[1] ?? [])
  const help = execFileSync(process.execPath, [backflow, "--help"], { encoding: "utf8" })
  const known = [...help.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name)
  expect(named.length).toBeGreaterThan(3)
  expect(named.filter((name) => !known.includes(name))).toEqual([])
})

test("the configuration in the texts is one that the program takes", () => {
  const folder = mkdtempSync(join(tmpdir(), "backflow-readme-"))
  const file = join(folder, "backflow.yaml")
  try {
    const [configuration = "", ...others] = blocks("yaml")
    expect(configuration).toContain("approved:")
    expect(others).toEqual([])
    writeFileSync(file, configuration)
    expect(() => execFileSync(process.execPath, [backflow, "check-config", file], { stdio: "pipe" })).not.toThrow()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test("every file that the texts point to is there", () => {
  const targets = texts.flatMap((path) => [...read(path).matchAll(/\]\(([^)#:]+)\)/g)].map(([, target = ""]) => target))
  expect(targets.length).toBeGreaterThan(3)
  expect(targets.filter((target) => !existsSync(join(root, target)))).toEqual([])
})
