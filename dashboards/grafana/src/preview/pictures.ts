import { mkdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"
import type { Page } from "playwright-core"
import type { Values } from "../plugin/interpolate.js"
import { seed, temporaryStore } from "../fixtures/seeded-store.js"
import type { TemporaryStore } from "../fixtures/seeded-store.js"
import { committedDashboards, openingValues, rangeBefore, resolveStatement } from "../plugin/statements.js"
import { endSeconds } from "../fixtures/statement-cases.js"
import { ids, story } from "../fixtures/story.js"
import { pageWidth, previewPage } from "./page.js"
import type { PanelRows, Row } from "./page.js"

const pictures: readonly {
  readonly uid: string
  readonly from: string
  readonly chosen: Values
  readonly text: string
}[] = [
  { uid: "backflow-overview", from: "now-24h", chosen: {}, text: "" },
  {
    uid: "backflow-ways-in",
    from: "now-3h",

    chosen: { finding: ids.tunnel },
    text: "Finding 6f1cf3f0 is selected.",
  },
  { uid: "backflow-exploration", from: "now-24h", chosen: {}, text: "" },
]

async function draw(temporary: TemporaryStore, page: Page, folder: string): Promise<void> {
  const dashboards = committedDashboards()
  for (const { uid, from, chosen, text } of pictures) {
    const dashboard = dashboards.find((candidate) => candidate.uid === uid)
    if (dashboard === undefined) throw new Error(`no dashboard ${uid}`)
    const rowsByPanel = new Map<number, PanelRows>()
    for (const panel of dashboard.panels) {
      const rowsByTarget: Record<string, readonly Row[]> = {}
      for (const { refId, rawSql } of panel.targets) {
        rowsByTarget[refId] = await temporary.session.rows<Row>(
          resolveStatement(rawSql, rangeBefore(endSeconds, from, panel), openingValues(dashboard, chosen)),
        )
      }
      rowsByPanel.set(panel.id, rowsByTarget)
    }
    await page.setContent(previewPage(dashboard, (panel) => rangeBefore(endSeconds, from, panel), rowsByPanel, text))
    const file = `${folder}/${uid.replace("backflow-", "")}.png`
    writeFileSync(file, await page.screenshot({ fullPage: true }))
    console.log(file)
  }
}

const folder = fileURLToPath(new URL("../../pictures", import.meta.url))
mkdirSync(folder, { recursive: true })
const temporary = await temporaryStore()
try {
  await seed(temporary.store, story(endSeconds * 1_000_000))
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })
  try {
    await draw(temporary, await browser.newPage({ viewport: { width: pageWidth, height: 1_000 } }), folder)
  } finally {
    await browser.close()
  }
} finally {
  await temporary.close()
}
