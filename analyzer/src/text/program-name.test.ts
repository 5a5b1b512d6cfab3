import { expect, it } from "vitest"
import { processText, programName, programPath } from "./program-name.js"
import { aProcess } from "../testing/processes.js"

it.each([
  ["/usr/bin/ssh", "/usr/bin/ssh", "ssh"],
  ["/usr/bin/ssh (deleted)", "/usr/bin/ssh", "ssh"],
  ["/opt/a b/tool", "/opt/a b/tool", "tool"],
  ["/srv/(deleted)/tool", "/srv/(deleted)/tool", "tool"],
  ["ssh", "ssh", "ssh"],
  ["", "", ""],
])("reads %j as the path %j and the name %j", (exe, path, name) => {
  expect(programPath(exe)).toBe(path)
  expect(programName(exe)).toBe(name)
})

it("names a process by its program, else by what it calls itself", () => {
  expect(processText(aProcess(["ssh"], { exe: "/usr/bin/ssh (deleted)" }))).toBe("ssh (pid 4711, uid 1000)")
  expect(processText(aProcess(["ssh"], { exe: "", comm: "ssh" }))).toBe("ssh (pid 4711, uid 1000)")
  expect(processText(aProcess(["ssh"], { exe: "", comm: "" }))).toBe("A program (pid 4711, uid 1000)")
  expect(processText(undefined)).toBe("A process that is not known")
})
