// Writes golden/*.bin from golden/*.json, and adds fields that are new in collector.proto to golden/field-numbers.json.
// Both are committed: a change of either shows in review as what it is, a change of the contract.
import { readFileSync, readdirSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { backflow } from "./gen/collector.js"
import { currentFields, fieldNumbersFile } from "./fields.mjs"

const folder = join(import.meta.dirname, "golden")
const wire = backflow.v1.CollectorMessage

for (const name of readdirSync(folder)) {
  if (!name.endsWith(".json") || name === fieldNumbersFile) continue
  const message = wire.fromObject(JSON.parse(readFileSync(join(folder, name), "utf8")))
  writeFileSync(join(folder, `${basename(name, ".json")}.bin`), wire.encode(message).finish())
}

const listFile = join(folder, fieldNumbersFile)
const listed = JSON.parse(readFileSync(listFile, "utf8"))
// What was listed once stays as it was listed, also when the field is gone.
writeFileSync(listFile, `${JSON.stringify({ ...currentFields(), ...listed }, undefined, 2)}\n`)
