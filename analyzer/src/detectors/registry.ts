import type { Detector } from "../domain/detector.js"
import type { Microseconds } from "../domain/identity.js"
import { coupling } from "./coupling/coupling.js"
import { intent } from "./intent/intent.js"
import { invertedExchanges } from "./inverted-exchanges/inverted-exchanges.js"
import { longLivedSsh } from "./long-lived-ssh/long-lived-ssh.js"
import { reverseShell } from "./reverse-shell/reverse-shell.js"
import { sshRoleInversion } from "./ssh-role-inversion/ssh-role-inversion.js"

/** What the configuration sets; everything else is in the `thresholds.ts` of each detector. */
export interface DetectorOptions {
  /** Age in microseconds at which an outbound SSH connection is claimed. */
  readonly longLivedSshUs: Microseconds
}

/** New detectors for one host in one boot, in the order in which they see each change. */
export function detectors({ longLivedSshUs }: DetectorOptions): readonly Detector[] {
  return [
    coupling(),
    reverseShell(),
    sshRoleInversion(),
    longLivedSsh({ ageUs: longLivedSshUs }),
    invertedExchanges(),
    intent(),
  ]
}
