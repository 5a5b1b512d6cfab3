import type { Connection } from "../domain/connection.js"
import type { ProcessFacts } from "../domain/identity.js"
import type { View } from "../domain/view.js"

/** This host opened it, or tried to, to an address outside. */
export function isOutbound({ initiator, remote }: Connection, view: View): boolean {
  return initiator === "local" && view.networks.isOutside(remote.address)
}

/** Last part of the path of a program: "/usr/bin/ssh (deleted)" is "ssh". */
export function programName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/ \(deleted\)$/, "")
}

/** "ssh (pid 4711, uid 1000)", for a sentence. */
export function processText(facts: ProcessFacts | undefined): string {
  if (facts === undefined) return "A process that is not known"
  return `${programName(facts.exe) || facts.comm || "A program"} (pid ${facts.pid}, uid ${facts.uid})`
}
