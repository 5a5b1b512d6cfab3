import type { Dashboard } from "./dashboards/frame.js"
import * as prettier from "prettier"
import { exploration } from "./dashboards/exploration.js"
import { host } from "./dashboards/host.js"
import { identity } from "./dashboards/identity.js"
import { outbound } from "./dashboards/outbound.js"
import { overview } from "./dashboards/overview.js"
import { pipeline } from "./dashboards/pipeline.js"
import { waysIn } from "./dashboards/ways-in.js"

/** By the name of the file without its ending. */
export const dashboards: Readonly<Record<string, () => { build(): Dashboard }>> = {
  overview,
  "ways-in": waysIn,
  outbound,
  host,
  identity,
  exploration,
  pipeline,
}

/**
 * Panels are numbered in their order, and nothing says where controls are drawn: the SDK would put links and annotations
 * into a menu that few open.
 */
function committedForm(built: Dashboard): unknown {
  const plain = JSON.parse(
    JSON.stringify(built, (key, value: unknown) =>
      key === "placement" && value === "inControlsMenu" ? undefined : value,
    ),
  ) as Dashboard
  return { ...plain, panels: plain.panels?.map((panel, index) => ({ ...panel, id: index + 1 })) }
}

/** The committed form of each dashboard, by file name. */
export async function dashboardFiles(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  for (const [name, make] of Object.entries(dashboards)) {
    const text = JSON.stringify(committedForm(make().build()))
    files.set(`${name}.json`, await prettier.format(text, { parser: "json", printWidth: 120 }))
  }
  return files
}
