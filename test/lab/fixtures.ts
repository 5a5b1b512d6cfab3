import type { Lab } from "./case.js"
import type { LabNetwork } from "./network.js"
import { makeCertificate, startSshd } from "./ssh.js"

/** What every case finds there: sshd and a web service outside, a web service and a database inside, one on the LAN. */
export async function startLab(network: LabNetwork): Promise<Lab> {
  const lab = { network, certificate: makeCertificate(network) }
  await startSshd(network)
  await network.serve("inside", "inside_service.py", "http", "8000")
  await network.serve("inside", "inside_service.py", "db", "6000")
  await network.serve("outside", "inside_service.py", "http", "8001")
  await network.serve("lan", "inside_service.py", "http", "8000")
  return lab
}
