/** SSH role inversion: this host opened the connection, and the far side is the SSH client on it. */
import type { Connection } from "../../domain/connection.js"
import type { Claim, Detector } from "../../domain/detector.js"
import type { View } from "../../domain/view.js"
import { endpointText } from "../coupling/evidence.js"
import { processText } from "../../text/program-name.js"
import { isOutbound } from "../outbound.js"
import { thresholds } from "../thresholds.js"

const name = "ssh-role-inversion"
const limits = thresholds.sshRoleInversion

export function sshRoleInversion(): Detector {
  const claimed = new Map<string, Claim>()
  return {
    name,
    observe(change, view) {
      if (change.kind !== "connection") return []
      const { connection } = change
      if (!connection.ssh.remoteClient) return []
      const before = claimed.get(connection.cookie)
      if (connection.closed !== undefined) {
        claimed.delete(connection.cookie)
        return before ? [{ ...claim(connection, view), status: "ended" }] : []
      }
      if (before ? before.process === connection.process : !isInverted(connection, view)) return []
      const made = claim(connection, view)
      claimed.set(connection.cookie, made)
      return [made]
    },
    tick: () => [],
  }
}

/** Only an SSH client sends the first key exchange message, so one bit decides; that both sent it is no SSH. */
function isInverted(connection: Connection, view: View): boolean {
  return connection.ssh.remoteClient && !connection.ssh.localClient && isOutbound(connection, view)
}

function claim(connection: Connection, view: View): Claim {
  const { cookie, process, openedUs, observedUs, ssh } = connection
  const who = processText(process === undefined ? undefined : view.process(process))
  const place = endpointText(connection.remote)
  return {
    class: "ssh_role_inversion",
    detector: name,
    subject: cookie,
    score: limits.score,
    confidence: limits.confidence,
    firstSeenUs: openedUs,
    lastSeenUs: observedUs,
    process,
    cookie,
    summary: `${who} on ${view.host.hostName} dialled out to ${place} and serves SSH to it: the far side is the SSH client, and can log in.`,
    evidence: [
      {
        kind: "ssh-role",
        text: `This host opened the connection, and ${place} sent the first key exchange message, which only an SSH client sends.`,
        atUs: observedUs,
        facts: {
          initiator: connection.initiator,
          local_ident: ssh.localIdent,
          remote_ident: ssh.remoteIdent,
          local_client: ssh.localClient,
          remote_client: ssh.remoteClient,
        },
      },
    ],
    attack: ["T1572", "T1021.004"],
    status: "active",
    facts: {},
  }
}
