import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import { z } from "zod"
import { defaultListenAddress } from "./listen-schema.js"
import { loadConfig } from "./load.js"
import { fileSchema } from "./schema.js"

const path = fileURLToPath(new URL("../../backflow.example.yaml", import.meta.url))
const text = readFileSync(path, "utf8")

it("the example is the defaults", () => {
  expect(loadConfig({ file: path, environment: {} })).toEqual(loadConfig({ environment: {} }))
  expect(text).toContain(`  # address: ${defaultListenAddress}\n`)
})

it("the example with everything uncommented is usable", () => {
  const uncommented = text.replace("  approved: []\n", "").replace(/^( *)# (?= *(?:[a-z_]+:|- destination:))/gm, "$1")
  const folder = mkdtempSync(join(tmpdir(), "backflow-example-"))
  const file = join(folder, "backflow.yaml")
  writeFileSync(file, uncommented)
  expect(loadConfig({ file, environment: {} })).toMatchObject({
    listen: { tls: { clientCaFile: "/etc/backflow/collectors-ca.pem" }, tokenFile: "/etc/backflow/token" },
    store: { url: "https://clickhouse.example:8443", passwordFile: "/etc/backflow/clickhouse-password" },
    policy: { approved: [{ destination: "203.0.113.7:443", identity: { uid: 0 } }] },
  })
  rmSync(folder, { recursive: true })
})

/** Names of all values under a part of the schema, "store.retention_days". */
function names(part: z.core.JSONSchema.JSONSchema, path: readonly string[] = []): string[] {
  if (part.properties === undefined) return [path.join(".")]
  return Object.entries(part.properties).flatMap(([name, inner]) =>
    typeof inner === "boolean" ? [] : names(inner, [...path, name]),
  )
}

it.each(names(z.toJSONSchema(fileSchema, { io: "input" })))("the example mentions %s", (name) => {
  expect(text).toMatch(new RegExp(`^[ #]*${name.split(".").at(-1) ?? ""}:`, "m"))
})
