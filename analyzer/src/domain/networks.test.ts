import { describe, expect, it } from "vitest"
import { Networks, rule } from "./networks.js"

describe("Networks", () => {
  it.each([
    ["127.9.9.9", "inside"],
    ["::1", "inside"],
    ["10.255.255.255", "inside"],
    ["11.0.0.0", "outside"],
    ["172.15.255.255", "outside"],
    ["172.31.255.255", "inside"],
    ["172.32.0.0", "outside"],
    ["192.168.0.1", "inside"],
    ["169.254.169.254", "inside"],
    ["100.63.255.255", "outside"],
    ["100.64.0.0", "overlay"],
    ["100.127.255.255", "overlay"],
    ["100.128.0.0", "outside"],
    ["224.0.0.251", "inside"],
    ["240.0.0.1", "outside"],
    ["0.0.0.0", "inside"],
    ["fdff::1", "inside"],
    ["fe00::1", "outside"],
    ["fe80::1", "inside"],
    ["ff02::1", "inside"],
    ["::", "inside"],
    ["192.0.2.1", "outside"],
    ["198.51.100.1", "outside"],
    ["203.0.113.1", "outside"],
    ["2001:db8::1", "outside"],
    ["8.8.8.8", "outside"],
  ])("counts %s as %s by default", (address, scope) => {
    expect(new Networks().scopeOf(address)).toBe(scope)
  })

  it("lets the longest prefix win, whatever the order of the rules", () => {
    const rules = [rule("10.1.0.0/16", "outside"), rule("10.1.2.0/24", "inside"), rule("203.0.113.0/24", "inside")]
    for (const networks of [new Networks(rules), new Networks([...rules].reverse())]) {
      expect(networks.scopeOf("10.0.0.1")).toBe("inside")
      expect(networks.scopeOf("10.1.0.1")).toBe("outside")
      expect(networks.scopeOf("10.1.2.3")).toBe("inside")
      expect(networks.scopeOf("203.0.113.9")).toBe("inside")
    }
  })

  it("prefers a rule to a default of the same length", () => {
    expect(new Networks([rule("192.168.0.0/16", "outside")]).scopeOf("192.168.1.1")).toBe("outside")
  })

  it.each([
    ["203.0.113.9", "local", "inside"],
    ["203.0.113.9", "on-link", "inside"],
    ["203.0.113.9", "onward", "inside"],
    ["203.0.113.9", "beyond", "outside"],
    ["203.0.113.9", "tunnel", "outside"],
    ["10.1.2.3", "beyond", "inside"],
    ["10.1.2.3", "tunnel", "overlay"],
    ["10.1.2.3", "onward", "inside"],
    ["10.1.2.3", "proxy", "overlay"],
    ["100.64.3.4", "beyond", "overlay"],
    ["100.64.3.4", "on-link", "overlay"],
    ["100.64.3.4", "tunnel", "overlay"],
    ["100.64.3.4", "local", "inside"],
    ["100.64.3.4", "onward", "inside"],
  ] as const)("counts %s by the route %s as %s", (address, route, scope) => {
    const networks = new Networks()
    expect(networks.scopeOf(address, route)).toBe(scope)
    expect(networks.isOutside(address, route)).toBe(scope !== "inside")
  })

  it.each(["unknown", "beyond", "local", "on-link", "tunnel", "onward", "proxy"] as const)(
    "lets a rule win whatever the route: %s",
    (route) => {
      const networks = new Networks([rule("203.0.113.0/24", "outside"), rule("10.1.0.0/16", "inside")])
      expect(networks.scopeOf("203.0.113.9", route)).toBe("outside")
      expect(networks.scopeOf("10.1.2.3", route)).toBe("inside")
    },
  )

  it("answers the same after it forgot", () => {
    const networks = new Networks()
    for (let i = 0; i < 20_000; i++) networks.scopeOf(`11.0.${i >> 8}.${i & 255}`)
    expect(networks.isOutside("11.0.0.0")).toBe(true)
    expect(networks.isOutside("10.0.0.0")).toBe(false)
  })

  it("names the text that is no network", () => {
    expect(() => rule("10.0.0.0/40", "inside")).toThrow('"10.0.0.0/40" is not a network')
  })
})
