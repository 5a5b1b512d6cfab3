// What a person at a browser waits for, with 1,000 open incidents and 100,000 live connections.
import { chromium } from "playwright-core"

const rounds = 5

/** Prints how long the page takes to open, to show a new incident, and to go to the outbound view. */
export async function measureBrowser(web, publishIncident, report) {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })
  try {
    const openMs = []
    for (let i = 0; i < rounds; i++) {
      const context = await browser.newContext()
      const page = await context.newPage()
      const began = performance.now()
      await page.goto(web.signInAddress)
      await page.locator("[data-row]").nth(199).waitFor()
      openMs.push(performance.now() - began)
      await context.close()
    }
    report("Chromium, from the address to 200 incidents shown", openMs)
    const page = await (await browser.newContext()).newPage()
    await page.goto(web.signInAddress)
    await page.locator("[data-row]").nth(199).waitFor()
    const showMs = []
    for (let i = 0; i < rounds; i++) {
      const began = performance.now()
      const text = await publishIncident(i)
      await page.getByText(text).first().waitFor()
      showMs.push(performance.now() - began)
    }
    report("Chromium, from an incident written to it shown", showMs)
    const turnMs = []
    for (let i = 0; i < rounds; i++) {
      const began = performance.now()
      await page.getByRole("link", { name: "Outbound" }).click()
      await page.locator(".connections [data-row]").nth(99).waitFor()
      turnMs.push(performance.now() - began)
      await page.getByRole("link", { name: "Incidents" }).first().click()
      await page.locator("[data-row]").nth(199).waitFor()
    }
    report("Chromium, from a click to the 100 oldest connections", turnMs)
  } finally {
    await browser.close()
  }
}
