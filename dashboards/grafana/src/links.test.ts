import { describe, expect, it } from "vitest"
import { findingUrl } from "./links.js"

describe("the link of an alert", () => {
  const finding = {
    id: "6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b11",
    first_seen: "2026-11-23T05:00:00Z",
    last_seen: "2026-11-23T06:00:00Z",
  }

  it("selects the finding, and is drawn up to now while it is open", () => {
    expect(findingUrl("https://grafana.example.org/", { ...finding, status: "open" })).toBe(
      "https://grafana.example.org/d/backflow-ways-in?var-finding=6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b11&from=1795409400000&to=now",
    )
  })

  it("ends after a closed one, and keeps the path of Grafana", () => {
    expect(findingUrl("https://example.org/grafana", { ...finding, status: "closed" })).toBe(
      "https://example.org/grafana/d/backflow-ways-in?var-finding=6f1cf3f0-6a36-5d2c-8a3e-0e5a6f0d2b11&from=1795409400000&to=1795414200000",
    )
  })
})
