import type { Detector } from "../domain/detector.js"
import { blinding } from "./blinding/blinding.js"
import { coupling } from "./coupling/coupling.js"
import { judge } from "./coupling/judge.js"
import { observationNames } from "./coupling/order.js"
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
  /** Names of observations that count as if they were never made: a benchmark shows what each is worth. None otherwise. */
  readonly disabled?: ReadonlySet<string>
}

const none: ReadonlySet<string> = new Set()

/** What can be switched off, by name: each detector as a whole, and each observation of the coupling score. */
export const observations: readonly string[] = [
  "coupling",
  "tun-device",
  "reverse-shell",
  "ssh-role-inversion",
  "long-lived-ssh",
  "inverted-exchanges",
  "intent",
  "blinding",
  ...observationNames,
]

/** New detectors for one host in one boot, in the order in which they see each change. */
export function detectors({
  longLivedSsh: longLivedSshOptions,
  disabled = none,
}: DetectorOptions): readonly Detector[] {
  const withoutDisabled = new Map([...disabled].map((name) => [name, 0] as const))
  const all = [
    coupling((edges, above) => judge(edges, withoutDisabled, above)),
    tunDevice(),
    reverseShell(),
    sshRoleInversion(),
    longLivedSsh(longLivedSshOptions),
    invertedExchanges(),
    intent(),
    blinding(),
  ]
  return all.filter(({ name }) => !disabled.has(name))
}
