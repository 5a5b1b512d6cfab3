import { mkdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"
import type { Page } from "playwright-core"
import type { Values } from "../engine/interpolate.js"
import { tell, temporaryStore } from "../engine/seeded-store.js"
import type { TemporaryStore } from "../engine/seeded-store.js"
import { committedDashboards, openingValues, rangeBefore, resolved } from "../engine/statements.js"
import { ids, story } from "../engine/story.js"
import { pageWidth, previewPage } from "./page.js"
import type { Answer, Row } from "./page.js"

/** 2026-11-23T06:00:00Z. */
const end = 1_795_413_600

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
    const answers = new Map<number, Answer>()
    for (const panel of dashboard.panels) {
      const answer: Record<string, readonly Row[]> = {}
      for (const { refId, rawSql } of panel.targets) {
        answer[refId] = await temporary.session.rows<Row>(
          resolved(rawSql, rangeBefore(end, from, panel), openingValues(dashboard, chosen)),
        )
      }
      answers.set(panel.id, answer)
    }
    await page.setContent(previewPage(dashboard, (panel) => rangeBefore(end, from, panel), answers, text))
    const file = `${folder}/${uid.replace("backflow-", "")}.png`
    writeFileSync(file, await page.screenshot({ fullPage: true }))
    console.log(file)
  }
}

const folder = fileURLToPath(new URL("../../pictures", import.meta.url))
mkdirSync(folder, { recursive: true })
const temporary = await temporaryStore()
try {
  await tell(temporary.store, story(end * 1_000_000))
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })
  try {
    await draw(temporary, await browser.newPage({ viewport: { width: pageWidth, height: 1_000 } }), folder)
  } finally {
    await browser.close()
  }
} finally {
  await temporary.close()
}
