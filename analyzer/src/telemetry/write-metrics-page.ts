import { writeFileSync } from "node:fs"
import { metricsPage } from "./metrics-page.js"

writeFileSync(new URL("../../METRICS.md", import.meta.url), metricsPage())
