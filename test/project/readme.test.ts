import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { blocks, commandLines } from "./texts.js"
import { read, root } from "./tracked-files.js"

const backflow = join(root, "analyzer", "bin", "backflow.js")

/** Standard output of one command, without the variables of whoever runs the tests. */
function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): string {
  const env = { PATH: process.env["PATH"], ...environment }
  return execFileSync(process.execPath, [backflow, ...args], { encoding: "utf8", stdio: "pipe", env })
}

/** What "backflow NAME …" stands for in a shell block, also behind npx, sudo or npm start. */
interface Called {
  readonly line: string
  readonly name: string
  readonly options: readonly string[]
}

const called = (): Called[] =>
  commandLines().flatMap((line) => {
    const [command = ""] = line.split(" | ")
    const match = /^(?:sudo )?(?:npx )?backflow ([a-z][a-z-]*)|^npm start( )-- /.exec(command)
    if (match === null) return []
    const options = [...command.matchAll(/ --([a-z][a-z-]*)/g)].map(([, option = ""]) => option)
    return [{ line, name: match[1] ?? "up", options }]
  })

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
  const known = [...run(["--help"]).matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name)
  expect(called().length).toBeGreaterThan(20)
  expect(called().filter(({ name }) => !known.includes(name))).toEqual([])
})

test("every option in the texts is one of its command", () => {
  const names = [...new Set(called().map(({ name }) => name))]
  const known = new Map(
    names.map((name) => {
      const options = run([name, "--help"]).matchAll(/^ {2}--([a-z][a-z-]*)/gm)
      return [name, new Set([...options].map(([, option]) => option))]
    }),
  )
  const wrong = called().filter(({ name, options }) => options.some((option) => known.get(name)?.has(option) !== true))
  expect(wrong.map(({ line }) => line)).toEqual([])
}, 60_000)

test("every configuration in the texts is one that the program takes", () => {
  const configurations = blocks("yaml")
  expect(configurations.length).toBeGreaterThan(3)
  expect(configurations.join("\n")).toContain("approved:")
  const folder = mkdtempSync(join(tmpdir(), "backflow-texts-"))
  const file = join(folder, "backflow.yaml")
  try {
    for (const configuration of configurations) {
      writeFileSync(file, configuration)
      expect(() => run(["check-config", file]), configuration).not.toThrow()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 60_000)

test("the table of settings has every one of the example file, and none that the program does not know", () => {
  const rows = [...read("docs/configuration.md").matchAll(/^\| `([a-z_.]+)` +\|[^|]+\|[^|]+\|[^|]+\|$/gm)]
  const settings = rows.map(([, key = ""]) => key)
  const inExample = settingsOf(read("analyzer/backflow.example.yaml"))
  expect(inExample.length).toBeGreaterThan(30)
  expect(inExample.filter((key) => !settings.includes(key))).toEqual([])

  const asVariables = settings
    .filter((key) => !key.startsWith("policy."))
    .map((key) => [`BACKFLOW_${key.replaceAll(".", "_").toUpperCase()}`, "x"] as const)
  const problems = problemsOf(Object.fromEntries([...asVariables, ["BACKFLOW_STATES", "x"]]))
  expect(problems.filter((path) => path.startsWith("BACKFLOW_"))).toEqual(["BACKFLOW_STATES"])
})

/** Dotted paths of the values in the example file, those in comments too. Rules of policy count as one value. */
function settingsOf(example: string): string[] {
  const above: { readonly indent: number; readonly name: string }[] = []
  const found = new Set<string>()
  for (const line of example.replace(/^( *)# (?= *[a-z_]+:(?: |$))/gm, "$1").split("\n")) {
    const [, spaces = "", name, value = ""] = /^( *)([a-z_]+):(.*)$/.exec(line) ?? []
    if (name === undefined) continue
    while ((above.at(-1)?.indent ?? -1) >= spaces.length) above.pop()
    const names = [...above.map((one) => one.name), name]
    if (value.trim() !== "") found.add((names[0] === "policy" ? names.slice(0, 2) : names).join("."))
    above.push({ indent: spaces.length, name })
  }
  return [...found]
}

/** Paths of what is wrong with these variables. */
function problemsOf(environment: Readonly<Record<string, string>>): string[] {
  try {
    run(["check-config", "--json"], environment)
    return []
  } catch (thrown) {
    const { stdout } = thrown as { readonly stdout: string }
    return (JSON.parse(stdout) as { readonly problems: readonly { path: string }[] }).problems.map(({ path }) => path)
  }
}

test("the table of exit codes is that of the program", () => {
  const [, printed = ""] = run(["--help"]).split("Exit codes:\n")
  const codes = [...printed.matchAll(/^ {2}(\d+) +(.+)$/gm)].map(
    ([, code, meaning]) => `${code ?? ""} ${meaning ?? ""}`,
  )
  const rows = [...read("docs/commands.md").matchAll(/^\| (\d+) +\| (.+?) +\|$/gm)]
  expect(codes.length).toBeGreaterThan(10)
  expect(rows.map(([, code, meaning]) => `${code ?? ""} ${meaning ?? ""}`)).toEqual(codes)
})

test("the README's figures of the lab are those of its table", () => {
  const row = (of: string) => {
    const line = read("docs/detection.md")
      .split("\n")
      .find((text) => text.startsWith(`| ${of} `))
    return line?.split("|").map((cell) => cell.trim()) ?? []
  }
  const count = (of: string) => /^\d+ of \d+/.exec(row(of)[2] ?? "")?.[0] ?? `${of}: not in docs/detection.md`
  const [, , median, p99] = row("from the first use")
  const shown = read("README.md")
  for (const text of [count("malicious cases with an alert"), count("benign cases with an alert")])
    expect(shown).toContain(text)
  expect(shown).toContain(`median ${median}, p99 ${p99}`)
})
