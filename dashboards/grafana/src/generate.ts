import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { dashboardFiles } from "./registry.js"

for (const [name, text] of await dashboardFiles()) {
  writeFileSync(fileURLToPath(new URL(`../dashboards/${name}`, import.meta.url)), text)
}
