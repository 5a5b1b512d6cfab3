import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const here = fileURLToPath(new URL(".", import.meta.url))
/** What the broker's jars may take to arrive, in milliseconds: 43 MB. */
const downloadMs = 300_000

/**
 * The class path of Apache Kafka in the version of pom.xml, downloaded once and kept under ~/.cache. A reason instead, where
 * it cannot be had; in CI, where the tests are meant to run, that is an error.
 */
export function brokerJars(): { readonly classPath: string } | { readonly missing: string } {
  const found = findJars()
  if ("missing" in found && process.env["CI"] === "true") {
    throw new Error(`the tests with a Kafka broker are meant to run in CI, but ${found.missing}`)
  }
  return found
}

function findJars(): { readonly classPath: string } | { readonly missing: string } {
  if (spawnSync("java", ["-version"]).status !== 0) return { missing: "java is missing (17 or newer)" }
  const version = /kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(readFileSync(join(here, "pom.xml"), "utf8"))?.[1]
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "backflow", `kafka-${version ?? ""}`)
  const classPath = join(folder, "*")
  if (existsSync(folder) && readdirSync(folder).length > 0) return { classPath }
  if (spawnSync("mvn", ["-v"]).status !== 0) return { missing: "mvn is missing, which fetches the broker" }
  const draft = `${folder}.${process.pid}`
  const download = spawnSync("mvn", ["-q", "-B", "dependency:copy-dependencies", `-DoutputDirectory=${draft}`], {
    cwd: here,
    timeout: downloadMs,
    encoding: "utf8",
  })
  if (download.status !== 0) {
    rmSync(draft, { recursive: true, force: true })
    return { missing: `mvn could not fetch the broker: ${download.stdout.trim().split("\n")[0] ?? ""}` }
  }
  renameSync(draft, folder)
  return { classPath }
}
