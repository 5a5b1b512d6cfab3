import type { Detector } from "../domain/detector.js"
import { blinding } from "./blinding/blinding.js"
import { coupling } from "./coupling/coupling.js"
import { intent } from "./intent/intent.js"
import { invertedExchanges } from "./inverted-exchanges/inverted-exchanges.js"
import { longLivedSsh } from "./long-lived-ssh/long-lived-ssh.js"
import type { LongLivedSshOptions } from "./long-lived-ssh/long-lived-ssh.js"
import { reverseShell } from "./reverse-shell/reverse-shell.js"
import { tunDevice } from "./tun-device/tun-device.js"
import { sshRoleInversion } from "./ssh-role-inversion/ssh-role-inversion.js"

/** The `detectors` part of the configuration; every other limit is in the `thresholds.ts` of each detector. */
export interface DetectorOptions {
  readonly longLivedSsh: LongLivedSshOptions
}

/** New detectors for one host in one boot, in the order in which they see each change. */
export function detectors({ longLivedSsh: longLivedSshOptions }: DetectorOptions): readonly Detector[] {
  return [
    coupling(),
    tunDevice(),
    reverseShell(),
    sshRoleInversion(),
    longLivedSsh(longLivedSshOptions),
    invertedExchanges(),
    intent(),
    blinding(),
  ]
}
