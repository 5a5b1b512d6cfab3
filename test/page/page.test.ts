import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Broker } from "../kafka/broker.js"
import { configOf, ensure, oneNode, until } from "../kafka/setup.js"
import { asText, consume } from "../kafka/consume.js"
import { brokerJars } from "../kafka/jars.js"
import type { LabNetwork } from "../lab/network.js"
import { missingForLab } from "../lab/requirements.js"
import { seriousViolations } from "./accessibility.js"
import { missingBrowser, openPage, startBrowser } from "./browser.js"
import { startUp } from "./backflow-up.js"
import type { Running } from "./backflow-up.js"
import { makeWayIn, openTunnel } from "./way-in.js"
import type { Tunnel } from "./way-in.js"

const jars = brokerJars()
const missing = missingForLab() ?? missingBrowser() ?? ("missing" in jars ? jars.missing : undefined)
if (missing !== undefined) console.log(`page: skipped, ${missing}`)
/** WRITE_PICTURES=1 puts what is seen where the README shows it. */
const pictures = process.env["WRITE_PICTURES"] === "1" ? join(import.meta.dirname, "pictures") : undefined
const topic = "backflow.findings.v1"

// One story from the quiet before to the stop of the analyzer, in order: each part begins where the one before it ended.
describe.skipIf(missing !== undefined)("somebody comes in, and the page and Kafka tell", () => {
  const cleanUp: (() => unknown)[] = []
  let network: LabNetwork
  let broker: Broker
  let running: Running
  let browser: Browser
  let tunnel: Tunnel
  let page: Page
  let complaints: string[]

  beforeAll(async () => {
    network = await makeWayIn()
    cleanUp.push(network.remove)
    broker = await Broker.start("classPath" in jars ? jars.classPath : "")
    cleanUp.push(() => broker.remove())
    expect(await ensure(configOf(network.folder, { brokers: [broker.plain] }), oneNode)).toMatchObject({ code: 0 })
    running = await startUp(network.folder, ["--kafka", broker.plain])
    cleanUp.push(() => running.stop())
    browser = await startBrowser()
    cleanUp.push(() => browser.close())
    const opened = await openPage(browser, { colorScheme: "light" })
    page = opened.page
    complaints = opened.complaints
  }, 120_000)

  afterAll(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step()
  }, 60_000)

  it("wants its token, and does not take another", async () => {
    const { page: stranger } = await openPage(browser)
    await stranger.goto(running.address)
    await stranger.getByLabel("Token").fill("not the token, and long enough")
    await stranger.getByRole("button", { name: "Open" }).click()
    expect(await stranger.getByRole("alert").textContent()).toMatch(/token/i)
    await stranger.getByLabel("Token").fill(running.token)
    await stranger.getByRole("button", { name: "Open" }).click()
    await stranger.getByRole("heading", { name: "Incidents" }).waitFor()
    await stranger.context().close()
  })

  it("takes the token out of the address, and says in words that all is quiet", async () => {
    await page.goto(`${running.address}/#token=${running.token}`)
    await page.getByRole("heading", { name: "Nothing has dug its way out" }).waitFor()
    expect(page.url()).not.toContain(running.token)
    expect(await page.getByText("1 host reports").count()).toBe(1)
  })

  it("shows an incident as it happens, without a reload, and a Kafka consumer gets the alert", async () => {
    await page.evaluate("window.openedOnce = true")
    tunnel = await openTunnel(network)
    cleanUp.push(() => tunnel.close())
    await tunnel.use()
    const row = page.getByRole("link", { name: /high.*ssh lets 203\.0\.113\.9:22 reach 127\.0\.0\.1:8000/s })
    await row.first().waitFor()
    expect(await page.evaluate("window.openedOnce")).toBe(true)
    await expect.poll(() => page.title(), { timeout: 5_000 }).toBe("(1) Backflow")
    const { messages, stop } = await consume(broker.plain, topic)
    try {
      await until("the alert arrives", () => messages.some(({ value }) => value.includes("reverse_tunnel")))
      const alert = messages.find(({ value }) => value.includes("reverse_tunnel"))
      expect(alert?.headers).toMatchObject({
        ce_specversion: "1.0",
        ce_type: expect.stringContaining("created") as string,
      })
      expect(JSON.parse(alert?.value ?? "")).toMatchObject({ class_uid: 2004, is_alert: true, severity_id: 4 })
      if (pictures !== undefined && alert !== undefined) {
        mkdirSync(pictures, { recursive: true })
        writeFileSync(join(pictures, "alert.txt"), asText(alert))
      }
    } finally {
      await stop()
    }
  }, 60_000)

  it("leads by keys alone to the finding, its picture, its evidence and the rule that answers it", async () => {
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "What happened" }).waitFor()
    for (let round = 0; round < 4; round += 1) await tunnel.use()
    await picture("incident")
    expect(await seriousViolations(page)).toEqual([])
    await page
      .getByRole("link", { name: /reverse tunnel/ })
      .first()
      .focus()
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "What went through it" }).waitFor()
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toMatch(/^ssh lets 203\.0\.113\.9:22 reach/)
    const drawing = page.getByRole("img", { name: /came in from 203\.0\.113\.9:22, .* went on to 127\.0\.0\.1:8000/ })
    expect(await drawing.count()).toBe(1)
    expect(await page.getByRole("img", { name: /Bytes over time through 127\.0\.0\.1:8000/ }).count()).toBe(1)
    expect(await page.locator(".tree .itself").textContent()).toContain("ssh")
    expect(await page.getByRole("heading", { name: "Answer it by policy" }).count()).toBe(1)
    expect(await page.locator("pre").first().textContent()).toMatch(/approved:[\s\S]*203\.0\.113\.9/)
    await picture("finding")
    expect(await seriousViolations(page)).toEqual([])
    await page.emulateMedia({ colorScheme: "dark" })
    await picture("finding-dark")
    expect(await seriousViolations(page)).toEqual([])
    await page.emulateMedia({ colorScheme: "light" })
    await page.keyboard.press("Escape")
    await page.getByRole("heading", { name: "What happened" }).waitFor()
  }, 60_000)

  it("lists the connection with the one who drives it, and says where everything goes", async () => {
    await page.keyboard.press("o")
    await page.getByRole("heading", { name: "Outbound connections" }).waitFor()
    await page.getByLabel("Search").fill("203.0.113.9")
    const row = page.getByRole("row", { name: /203\.0\.113\.9:22.*ssh/ })
    await row.first().waitFor()
    expect(await row.first().getByRole("link", { name: "finding" }).count()).toBe(1)
    await picture("outbound")
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole("link", { name: "Health" }).click()
    await page.getByRole("rowheader", { name: "kafka" }).waitFor()
    expect(await page.getByRole("row", { name: /kafka ok/ }).count()).toBe(1)
    expect(await seriousViolations(page)).toEqual([])
  })

  it("fits a narrow screen, and shows its keys", async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    for (const place of ["#/", "#/outbound", "#/health"]) {
      await page.goto(`${running.address}/${place}`)
      await page.getByRole("heading", { level: 1 }).waitFor()
      expect(await page.evaluate("document.documentElement.scrollWidth"), place).toBeLessThanOrEqual(360)
    }
    await page.keyboard.press("?")
    await page.getByRole("dialog").waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("dialog").waitFor({ state: "hidden" })
    await page.setViewportSize({ width: 1200, height: 860 })
  })

  it("tells what is not there", async () => {
    await page.goto(`${running.address}/#/findings/00000000-0000-4000-8000-000000000000`)
    await page.getByRole("heading", { name: "There is no such finding" }).waitFor()
    expect(complaints.filter((text) => !text.includes("404"))).toEqual([])
  })

  it("says that the analyzer is gone, and goes on when it is back", async () => {
    await page.goto(`${running.address}/#/`)
    await page.getByText("live · 1 host").waitFor()
    const { port } = new URL(running.address)
    expect(await running.stop()).toBe(0)
    await page.getByText("The analyzer does not answer").waitFor()
    running = await startUp(network.folder, [], `127.0.0.1:${port}`)
    // Sessions end with their analyzer.
    await page.getByText("show the token once more").waitFor()
    await page.getByLabel("Token").fill(running.token)
    await page.getByRole("button", { name: "Open" }).click()
    await page.getByText("live · 1 host").waitFor()
    await page
      .getByRole("link", { name: /ssh lets/ })
      .first()
      .waitFor()
  }, 60_000)

  async function picture(name: string): Promise<void> {
    if (pictures === undefined) return
    mkdirSync(pictures, { recursive: true })
    await page.waitForLoadState("networkidle").catch(() => undefined)
    await page.screenshot({ path: join(pictures, `${name}.png`) })
  }
})
