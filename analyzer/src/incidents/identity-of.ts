/** Whose doing a finding is: what survives the end of one process and the beginning of the next. */
import type { Finding } from "../domain/finding.js"
import type { View } from "../domain/view.js"
import { rootOf } from "../text/program-root.js"

export interface Identity {
  /** Equal for findings of one identity of a host. */
  readonly key: string
  /** For people. */
  readonly text: string
}

/** Container and user; outside of containers the control group, the user and the program that everything came from. */
export function identityOf(finding: Finding, view: View): Identity {
  if (finding.class === "host_blind") return { key: JSON.stringify(["the host"]), text: "the host itself" }
  const { process } = finding
  const { pid, startNs, uid, containerId } = process
  if (containerId !== "") {
    return {
      key: JSON.stringify(["container", containerId, uid]),
      text: `container ${containerId.slice(0, 12)}, uid ${uid}`,
    }
  }
  const cgroup = view.process(`${pid}:${startNs}`)?.cgroup ?? ""
  const root = rootOf<{ readonly exe: string }>(process, process.ancestors).exe
  return {
    key: JSON.stringify(["host", cgroup, uid, root]),
    text: [cgroup === "" || cgroup === "/" ? "" : `group ${cgroup}`, `uid ${uid}`, root]
      .filter((part) => part !== "")
      .join(", "),
  }
}
