import { proofsOfHosts } from "../../service/prove/proof-socket.js"
import type { HostProof } from "../../telemetry/status.js"
import { durationText } from "../../text/amounts.js"
import { parseTime } from "../../text/rfc3339.js"
import type { Microseconds } from "../../domain/identity.js"
import { degraded, failing, ok } from "./check.js"
import type { Outcome } from "./check.js"

/** What a proof may come later than the interval: its jitter of a tenth, and the time it takes. */
const lateShare = 1.25

const remedies = {
  blind: "The finding host_blind says what was lost; run backflow prove --host NAME, and backflow doctor on that host.",
  old: "Run backflow prove, and check whether the collectors respond.",
  never: "Run backflow prove.",
} as const

/** Whether the hosts of the running analyzer are proven to be watched. `intervalUs` is 0 where there is no schedule. */
export async function proofs(state: string, intervalUs: Microseconds, nowUs: Microseconds): Promise<Outcome> {
  return judge(await proofsOfHosts(state), intervalUs, nowUs)
}

export function judge(hosts: readonly HostProof[], intervalUs: Microseconds, nowUs: Microseconds): Outcome {
  const connected = hosts.filter((one) => one.connected)
  if (connected.length === 0) return ok("no collector is connected")
  const text = connected.map((one) => `${one.host} ${standing(one, nowUs)}`).join("; ")
  if (connected.some(({ blind }) => blind !== null)) return failing(text, remedies.blind)
  const ages = connected.map(({ lastProvenAt }) => ageOf(lastProvenAt, nowUs))
  if (intervalUs > 0 && ages.some((age) => age !== undefined && age > intervalUs * lateShare))
    return failing(text, remedies.old)
  return ages.includes(undefined) ? degraded(text, remedies.never) : ok(text)
}

function standing({ lastProvenAt, blind }: HostProof, nowUs: Microseconds): string {
  const age = ageOf(lastProvenAt, nowUs)
  const proven = age === undefined ? "was never proven" : `was proven ${durationText(age)} ago`
  return blind === null ? proven : `is blind (${blind}) and ${proven}`
}

function ageOf(lastProvenAt: string | null, nowUs: Microseconds): Microseconds | undefined {
  const atUs = lastProvenAt === null ? undefined : parseTime(lastProvenAt)
  return atUs === undefined ? undefined : Math.max(0, nowUs - atUs)
}
