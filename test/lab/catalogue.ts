/** Every family of cases: what must be found first, then what must not. */
import type { Case, Family, Kind } from "./case.js"
import { kindOf } from "./case.js"
import { benignClients } from "./cases/benign-clients.js"
import { benignSsh } from "./cases/benign-ssh.js"
import { besideCarriers, carriers } from "./cases/carriers.js"
import { consumers } from "./cases/consumers.js"
import { homeMade } from "./cases/home-made.js"
import { intentScripts } from "./cases/intent-scripts.js"
import { insidePlaces, ordinaryPlaces } from "./cases/inside-places.js"
import { besideEachOther, joinedRelays } from "./cases/joined.js"
import { ordinaryServers } from "./cases/ordinary-servers.js"
import { ordinarySshForms } from "./cases/ordinary-ssh-forms.js"
import { relays } from "./cases/relays.js"
import { shellCommands } from "./cases/shell-commands.js"
import { shells } from "./cases/shells.js"
import { shellForms } from "./cases/shell-forms.js"
import { sshForms } from "./cases/ssh-forms.js"
import { tools } from "./cases/tools.js"
import { benignTunnelDevices, tunnelDevices } from "./cases/tunnel-devices.js"
import { transportClients, transportRelays } from "./cases/transports.js"
import { tunnels } from "./cases/tunnels.js"

export const families: readonly Family[] = [
  { name: "ssh", cases: tunnels },
  { name: "relays", cases: relays },
  { name: "home-made tunnels", cases: homeMade, inTests: 0 },
  { name: "relays over two processes", cases: joinedRelays, inTests: 4 },
  { name: "tunnel devices", cases: tunnelDevices, inTests: 1 },
  { name: "carriers", cases: carriers, inTests: 0 },
  { name: "shells", cases: shells },
  { name: "commands", cases: shellCommands, inTests: 2 },
  { name: "words that ask", cases: intentScripts, inTests: 0 },
  { name: "forms of ssh", cases: sshForms, inTests: 0 },
  { name: "forms of shells", cases: shellForms, inTests: 0 },
  { name: "tools", cases: tools, inTests: 0 },
  { name: "ordinary ssh", cases: benignSsh },
  { name: "ordinary clients", cases: benignClients },
  { name: "programs beside each other", cases: besideEachOther },
  { name: "consumers", cases: consumers, inTests: 0 },
  { name: "ordinary forms of ssh", cases: ordinarySshForms, inTests: 0 },
  { name: "servers and proxies", cases: ordinaryServers, inTests: 0 },
  { name: "ordinary tunnel devices", cases: benignTunnelDevices, inTests: 1 },
  { name: "names and echoes", cases: besideCarriers, inTests: 1 },
  { name: "transports", cases: transportRelays, inTests: 4 },
  { name: "places inside", cases: insidePlaces, inTests: 4 },
  { name: "ordinary clients of such places", cases: ordinaryPlaces, inTests: 2 },
  { name: "ordinary transports", cases: transportClients, inTests: 2 },
]

export interface Entry {
  readonly family: string
  readonly case: Case
}

/** The part that `npm test` plays. */
export function representative(kind: Kind): readonly Entry[] {
  return families
    .flatMap(({ name, cases, inTests }) => cases.slice(0, inTests).map((one) => ({ family: name, case: one })))
    .filter((entry) => kindOf(entry.case) === kind)
}

export interface Choice {
  readonly only?: RegExp
  readonly kind?: Kind
  /** Part `k` of `n`: every n-th case, so that each part has some of each family. */
  readonly part?: { readonly k: number; readonly n: number }
}

/** Names are unique; a pattern is tried on `family/name`. */
export function choose({ only, kind, part }: Choice): readonly Entry[] {
  return families
    .flatMap(({ name, cases }) => cases.map((one) => ({ family: name, case: one })))
    .filter((entry) => only === undefined || only.test(`${entry.family}/${entry.case.name}`))
    .filter((entry) => kind === undefined || kindOf(entry.case) === kind)
    .filter((_, i) => part === undefined || i % part.n === part.k - 1)
}
