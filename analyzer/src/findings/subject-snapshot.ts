/** Process and connection of a claim, as they stand in a finding. */
import type { Connection } from "../domain/connection.js"
import type { Claim } from "../domain/detector.js"
import type { Evidence, FindingConnection, FindingProcess } from "../domain/finding.js"
import type { ProcessFacts } from "../domain/identity.js"
import type { View } from "../domain/view.js"
import { overlayOf } from "./overlay.js"

/** What the view no longer knows stays as it was shown before. */
export interface SubjectSnapshot {
  readonly process: FindingProcess
  readonly connection: FindingConnection
  /** What there is to say of a far side that is in an overlay. */
  readonly overlay: Evidence | undefined
  readonly facts: ProcessFacts | undefined
  readonly ancestors: readonly ProcessFacts[]
}

export function snapshotOf(claim: Claim, view: View, before: SubjectSnapshot | undefined): SubjectSnapshot {
  const facts = claim.facts ?? (claim.process === undefined ? undefined : view.process(claim.process))
  const ancestors = facts === undefined ? [] : view.ancestors(facts.key)
  const sameProcess = before !== undefined && (claim.process === undefined || isOf(claim.process, before.process))
  const connection = claim.cookie === "" ? undefined : view.connection(claim.cookie)
  const sameConnection = before?.connection.cookie === claim.cookie
  return {
    process:
      facts === undefined ? (sameProcess ? before.process : unknownProcess(claim.process)) : known(facts, ancestors),
    connection:
      connection === undefined
        ? sameConnection
          ? ended(before.connection, claim)
          : noConnection(claim.cookie)
        : shown(connection),
    overlay: connection === undefined && sameConnection ? before.overlay : overlayOf(connection, view),
    facts: facts ?? (sameProcess ? before.facts : undefined),
    ancestors: facts === undefined && sameProcess ? before.ancestors : ancestors,
  }
}

function known({ pid, startNs, exe, argv, uid, containerId }: ProcessFacts, ancestors: readonly ProcessFacts[]) {
  return {
    pid,
    startNs,
    exe,
    argv,
    uid,
    ancestors: ancestors.map((above) => ({ pid: above.pid, exe: above.exe, argv: above.argv })),
    containerId,
  }
}

/** (uid_t)-1, which no process can have: 0 would say root. */
const nobody = 4_294_967_295

/** The key still tells pid and start time. */
function unknownProcess(key: string | undefined): FindingProcess {
  const [pid = "0", startNs = "0"] = key?.split(":") ?? []
  return { pid: Number(pid), startNs, exe: "", argv: [], uid: nobody, ancestors: [], containerId: "" }
}

function isOf(key: string, { pid, startNs }: FindingProcess): boolean {
  return key === `${pid}:${startNs}`
}

function shown(connection: Connection): FindingConnection {
  const { cookie, netns, initiator, protocol, local, remote, openedUs, bytesSent, bytesReceived, closed } = connection
  return {
    cookie,
    netns,
    initiator,
    protocol,
    local,
    remote,
    openedUs,
    bytesSent,
    bytesReceived,
    stillOpen: closed === undefined,
  }
}

function ended(connection: FindingConnection, { cookie, status }: Claim): FindingConnection {
  // A closed connection leaves the view after a minute; one that the view lost while open has no known end.
  return cookie !== "" && status === "ended" ? { ...connection, stillOpen: false } : connection
}

const nowhere = { address: "::", port: 0 }

function noConnection(cookie: string): FindingConnection {
  return {
    cookie,
    netns: 0,
    initiator: "unknown",
    protocol: "unknown",
    local: nowhere,
    remote: nowhere,
    openedUs: 0,
    bytesSent: 0,
    bytesReceived: 0,
    stillOpen: false,
  }
}
