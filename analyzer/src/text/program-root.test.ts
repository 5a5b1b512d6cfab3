import { expect, it } from "vitest"
import { rootOf } from "./program-root.js"

const lineage = (...names: string[]) => names.map((name) => ({ exe: `/usr/bin/${name}` }))

it.each([
  ["ssh", [], "ssh"],
  ["ssh", ["bash", "python3"], "python3"],
  ["ssh", ["bash", "sshd", "systemd"], "bash"],
  ["ssh", ["systemd", "bash"], "ssh"],
  ["ssh", ["sh", "containerd-shim-runc-v2"], "sh"],
])("of %s below %j is %s", (name, above, root) => {
  const [process = { exe: "" }] = lineage(name)
  expect(rootOf(process, lineage(...above)).exe).toBe(`/usr/bin/${root}`)
})
