import type { ProcessFacts } from "../domain/identity.js"
import type { RowProcess } from "../domain/output.js"
import { startUs } from "./time.js"

/** Key of the process with this pid that started at 1 ns. */
export function keyOf(pid: number): string {
  return `${pid}:1`
}

/** pid and key come from `key`, "4711:1" unless told. */
export function aProcess(argv: readonly string[], changes: Partial<ProcessFacts> = {}): ProcessFacts {
  const key = changes.key ?? "4711:1"
  const [program = ""] = argv
  return {
    key,
    pid: Number(key.split(":")[0]),
    startNs: key.split(":")[1] ?? "0",
    parent: undefined,
    exe: program.startsWith("/") ? program : `/usr/bin/${program}`,
    argv,
    argvTruncated: false,
    uid: 1_000,
    cwd: "/home/agent",
    containerId: "",
    cgroup: "/system.slice/agent.service",
    comm: program.slice(program.lastIndexOf("/") + 1, 15),
    hasTty: false,
    execUs: startUs,
    sshForwards: [],
    ...changes,
  }
}

/** The process with this pid, of a program of its own, that `parent` started. */
export function aChild(pid: number, parent?: number, changes: Partial<ProcessFacts> = {}): ProcessFacts {
  const key = keyOf(pid)
  return aProcess([`p${pid}`], { key, parent: parent === undefined ? undefined : keyOf(parent), ...changes })
}

export const aRowProcess: RowProcess = {
  pid: 4_711,
  startNs: "123456789",
  exe: "/usr/bin/ssh",
  comm: "ssh",
  argv: ["ssh", "-N", "-R", "8080:localhost:8000", "ops@203.0.113.9"],
  uid: 1_000,
  containerId: "",
}
