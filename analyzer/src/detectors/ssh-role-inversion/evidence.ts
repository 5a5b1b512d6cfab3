/** An SSH server that dialled out, in words that a person can check against the host. */
import type { Connection } from "../../domain/connection.js"
import type { Claim } from "../../domain/detector.js"
import type { Evidence } from "../../domain/finding.js"
import type { View } from "../../domain/view.js"
import { endpointText } from "../../text/endpoint.js"
import { processText } from "../../text/program-name.js"
import { sshRoleInversionThresholds as limits } from "./thresholds.js"

export const detectorName = "ssh-role-inversion"

export function claimOf(connection: Connection, view: View): Claim {
  const { cookie, process, openedUs, observedUs } = connection
  const who = processText(process === undefined ? undefined : view.process(process))
  return {
    class: "ssh_role_inversion",
    detector: detectorName,
    subject: cookie,
    score: limits.score,
    confidence: limits.confidence,
    firstSeenUs: openedUs,
    lastSeenUs: observedUs,
    process,
    cookie,
    summary: `${who} on ${view.host.hostName} dialled out to ${endpointText(connection.remote)} and serves SSH to it: the far side is the SSH client, and can log in.`,
    evidence: [roleEvidence(connection)],
    attack: ["T1572", "T1021.004"],
    status: "active",
  }
}

function roleEvidence({ initiator, remote, ssh, observedUs }: Connection): Evidence {
  return {
    kind: "ssh-role",
    text: `This host opened the connection, and ${endpointText(remote)} sent the first key exchange message, which only an SSH client sends.`,
    atUs: observedUs,
    facts: {
      initiator,
      local_ident: ssh.localIdent,
      remote_ident: ssh.remoteIdent,
      local_client: ssh.localClient,
      remote_client: ssh.remoteClient,
    },
  }
}
