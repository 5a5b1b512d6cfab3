import type { ProcessFacts } from "../domain/identity.js"

/** Path of a program. The kernel marks one whose file was replaced since, as by an upgrade: "/usr/bin/ssh (deleted)". */
export function programPath(exe: string): string {
  return exe.replace(/ \(deleted\)$/, "")
}

/** Last part of the path: "/usr/bin/ssh (deleted)" is "ssh". */
export function programName(exe: string): string {
  return programPath(exe.slice(exe.lastIndexOf("/") + 1))
}

/** "ssh (pid 4711, uid 1000)", for a sentence. */
export function processText(facts: ProcessFacts | undefined): string {
  if (facts === undefined) return "A process that is not known"
  return `${programName(facts.exe) || facts.comm || "A program"} (pid ${facts.pid}, uid ${facts.uid})`
}
