import { existsSync } from "node:fs"
import { chromium } from "playwright-core"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"

const program = "/usr/bin/chromium"

/** Why pages cannot be looked at here, or undefined. In CI, where they are meant to be, that is an error. */
export function missingBrowser(): string | undefined {
  if (existsSync(program)) return undefined
  if (process.env["CI"] === "true") throw new Error(`the page is meant to be tested in CI, but ${program} is missing`)
  return `${program} is missing (sh setup.sh test installs it)`
}

export function startBrowser(): Promise<Browser> {
  // Chromium has no sandbox for root.
  return chromium.launch({ executablePath: program, args: ["--no-sandbox"] })
}

/** A page of its own session, and everything that it complained about. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 860 }, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text())
  })
  page.on("pageerror", (error) => complaints.push(error.message))
  return { page, complaints }
}
