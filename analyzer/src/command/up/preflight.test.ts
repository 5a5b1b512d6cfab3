import { describe, expect, it } from "vitest"
import { requireObservable, thisHost } from "./preflight.js"

const capability = (...numbers: readonly number[]) => numbers.reduce((all, number) => all | (1n << BigInt(number)), 0n)
const [netAdmin, sysAdmin, perfmon, bpf] = [12, 21, 38, 39]
const fit = { platform: "linux", hasBtf: true, capabilities: capability(netAdmin, perfmon, bpf) }

describe("requireObservable", () => {
  it.each([
    ["the three capabilities that it needs", capability(netAdmin, perfmon, bpf)],
    ["those of root on a kernel before 5.8", capability(netAdmin, sysAdmin)],
    ["all", (1n << 41n) - 1n],
  ])("accepts a process with %s", (_what, capabilities) => {
    expect(() => requireObservable({ ...fit, capabilities })).not.toThrow()
  })

  it.each([
    ["no rights", { ...fit, capabilities: 0n }, "lacks the rights", "Run it as root"],
    [
      "too few rights",
      { ...fit, capabilities: capability(netAdmin, bpf) },
      "lacks the rights",
      "BPF, PERFMON and NET_ADMIN",
    ],
    ["no right to the network", { ...fit, capabilities: capability(sysAdmin) }, "lacks the rights", "Run it as root"],
    ["no BTF", { ...fit, hasBtf: false }, "no /sys/kernel/btf/vmlinux", "CONFIG_DEBUG_INFO_BTF=y"],
    ["another system", { ...fit, platform: "darwin" }, "this is darwin", "Run backflow analyzer here"],
  ])("refuses a host with %s, in one sentence with its remedy", (_what, host, message, remedy) => {
    expect(() => requireObservable(host)).toThrow(
      expect.objectContaining({
        code: "host-unfit",
        message: expect.stringContaining(message) as string,
        remedy: expect.stringContaining(remedy) as string,
      }),
    )
  })
})

it("thisHost reads the rights of this process", () => {
  const { capabilities, platform } = thisHost()
  expect(platform).toBe(process.platform)
  // Root has at least the right to change owners (bit 0) wherever tests run as root.
  expect(capabilities & 1n).toBe(process.getuid?.() === 0 ? 1n : 0n)
})
