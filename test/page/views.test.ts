import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import type { Browser, Page } from "playwright-core"
import { ContractServer, token } from "../../dashboards/page/fixtures/contract-server.js"
import { aFinding } from "../../dashboards/page/fixtures/findings.js"
import { ago, anIncident, detailOf } from "../../dashboards/page/fixtures/incidents.js"
import { aConnection, anOutbound, anOverview } from "../../dashboards/page/fixtures/overview.js"
import { missingBrowser, openPage, startBrowser } from "./browser.js"

const missing = missingBrowser()
if (missing !== undefined) console.log(`page views: skipped, ${missing}`)
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f]/

// What no analyzer can be brought to at will: lists of hundreds, hostile names, changes at a chosen moment.
describe.skipIf(missing !== undefined)("the page over its contract", () => {
  let browser: Browser
  let server: ContractServer
  let page: Page
  let complaints: string[]
  const many = Array.from({ length: 450 }, (_, i) =>
    anIncident({ id: `many-${i}`, summary: `way in number ${i}`, last_seen: ago(10 + i) }),
  )
  let incidents = [anIncident()]

  beforeAll(async () => {
    browser = await startBrowser()
  }, 30_000)
  afterAll(() => browser.close())
  beforeEach(async () => {
    incidents = [anIncident()]
    server = await ContractServer.start()
    server.onConnect = (send) => {
      send("overview", anOverview({ openIncidents: incidents.length }))
      const [first] = incidents
      if (first !== undefined) send("incident", first)
      send(
        "outbound",
        anOutbound([aConnection(), aConnection({ cookie: "78", finding: null, remote: "198.51.100.4:443" })]),
      )
    }
    server.respond = (path, query) => {
      const limit = Number(query.get("limit"))
      if (path === "incidents") {
        const some = incidents.filter(({ status }) => query.get("status") === "all" || status === query.get("status"))
        return { total: some.length, incidents: some.slice(0, limit) }
      }
      if (path.startsWith("incidents/")) return detailOf(anIncident(), aFinding().finding.id)
      if (path.startsWith("findings/")) return aFinding()
      if (path === "outbound")
        return anOutbound([aConnection(), aConnection({ cookie: "78", finding: null, remote: "198.51.100.4:443" })])
      return undefined
    }
    ;({ page, complaints } = await openPage(browser))
    page.setDefaultTimeout(15_000)
  })
  afterEach(async () => {
    await page.context().close()
    await server.stop()
  })

  const open = async (place = "#/") => {
    await page.goto(`${server.address}/${place}?token=${token}`)
    await page.getByText("live · 1 host").waitFor()
  }
  const focused = () => page.evaluate<string>("document.activeElement.textContent || document.activeElement.tagName")

  it("keeps the focus on the choice of incidents when another is chosen", async () => {
    await open()
    await page.getByRole("radio", { name: "open" }).focus()
    await page.keyboard.press("ArrowRight")
    await page.getByText("No closed incident").waitFor()
    expect(await page.evaluate("document.activeElement.parentElement.textContent")).toBe("closed")
  })

  it("keeps its place when more is shown", async () => {
    incidents = many
    await open()
    const more = page.getByRole("button", { name: /Show more/ })
    await more.scrollIntoViewIfNeeded()
    await more.focus()
    const before = await page.evaluate<number>("scrollY")
    await page.keyboard.press("Enter")
    await expect.poll(() => page.getByRole("listitem").count()).toBe(400)
    expect(before).toBeGreaterThan(1_000)
    expect(await page.evaluate("scrollY")).toBe(before)
    expect(await focused()).toMatch(/Show more/)
  })

  it("counts what is open now", async () => {
    incidents = [anIncident(), anIncident({ id: "b", summary: "another" })]
    await open()
    await page.getByText("2 incidents").waitFor()
    server.send("incident", anIncident({ version: 9, status: "closed" }))
    server.send("overview", anOverview({ openIncidents: 1 }))
    await page.getByText("1 incident", { exact: true }).waitFor()
  })

  it("never says that all is quiet while incidents beyond the list are open", async () => {
    incidents = many
    await open()
    await page.getByText("450 incidents").waitFor()
    incidents = many.slice(200)
    for (const one of many.slice(0, 200)) server.send("incident", { ...one, version: 9, status: "closed" })
    server.send("overview", anOverview({ openIncidents: 250 }))
    await expect.poll(() => page.title()).toBe("(250) Backflow")
    expect(await page.getByText("Nothing has dug its way out").count()).toBe(0)
    await page.getByRole("link", { name: /way in number 399/ }).waitFor({ timeout: 10_000 })
  }, 20_000)

  it("keeps the focus on an incident that moves up", async () => {
    incidents = ["first", "next", "third", "second"].map((summary, i) =>
      anIncident({ id: summary, summary, last_seen: ago(60 + i) }),
    )
    await open()
    await page.getByRole("link", { name: /second/ }).focus()
    server.send("incident", anIncident({ id: "second", version: 9, summary: "second", last_seen: ago(0) }))
    await expect.poll(async () => (await page.getByRole("listitem").first().textContent()) ?? "").toContain("second")
    expect(await focused()).toContain("second")
  })

  it("announces an incident whose first version it never got", async () => {
    await open()
    await page.getByRole("link", { name: /ssh lets/ }).waitFor()
    server.send("incident", anIncident({ id: "new", version: 2, first_seen: ago(0), summary: "a new way in" }))
    await page.getByText("New incident, high: a new way in").waitFor({ state: "attached" })
  })

  it("does not announce what was there before the page", async () => {
    incidents = [anIncident({ version: 1, first_seen: ago(5_000) })]
    await open()
    await page.getByRole("link", { name: /ssh lets/ }).waitFor()
    server.send("overview", anOverview({ openIncidents: 7 }))
    await expect.poll(() => page.title()).toBe("(7) Backflow")
    expect(await page.getByText(/New incident, high/).count()).toBe(0)
  })

  it("opens the finding of a connection with Enter", async () => {
    await open("#/outbound")
    await page.getByRole("row", { name: /203\.0\.113\.9/ }).waitFor()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "What went through it" }).waitFor()
  })

  it("keeps the last answer while a longer search is under way", async () => {
    await open("#/outbound")
    await page.getByText("198.51.100.4:443").waitFor()
    const plain = server.respond
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    server.respond = (path, query) => {
      const search = query.get("search") ?? ""
      if (search === "x") return { ...anOutbound([]), total: 2 }
      if (search === "xy") return released.then(() => ({ ...anOutbound([]), total: 2 }))
      return plain(path, query)
    }
    await page.getByLabel("Search").fill("x")
    await page.getByText("None of them matches").waitFor()
    await page.getByLabel("Search").fill("xy")
    await expect.poll(() => server.requests.some((one) => one.includes("search=xy"))).toBe(true)
    const shown = await page.getByText("198.51.100.4:443").count()
    release()
    expect(shown).toBe(0)
  })

  it("shows nothing hidden of hostile names, anywhere", async () => {
    await open("#/findings/f")
    await page.getByRole("heading", { name: "What went through it" }).waitFor()
    expect(await page.evaluate<string>("document.body.innerText")).not.toMatch(hidden)
    const labels = await page.evaluate<string>(
      "[...document.querySelectorAll('[aria-label]')].map((one) => one.getAttribute('aria-label')).join(' ')",
    )
    expect(labels).not.toMatch(hidden)
    expect(await page.locator("img").count()).toBe(0)
    await page.getByRole("button", { name: /show all/ }).click()
    expect(complaints).toEqual([])
  })

  it("says that a token in the address was not the right one", async () => {
    await page.goto(`${server.address}/#/?token=wrong`)
    await page.getByLabel("Token").waitFor()
    expect(page.url()).not.toContain("wrong")
    expect(await page.getByRole("alert").count()).toBe(1)
  })

  it("goes back to the incident with Escape when it was opened by a link", async () => {
    await open("#/findings/f")
    await page.getByRole("heading", { name: "What went through it" }).waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("heading", { name: "What happened" }).waitFor()
  })
})
