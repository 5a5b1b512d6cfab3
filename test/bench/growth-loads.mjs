/** The loads of growth.mjs: records of one host that all fall on one thing, batch after batch. */
import { HostPipeline } from "@backflow/analyzer/pipeline/host-pipeline"
import { stagesFor } from "@backflow/analyzer/pipeline/stages"
import { Networks } from "@backflow/analyzer/domain/networks"
import { defaultTrackerLimits } from "@backflow/analyzer/connections/limits"
import { LiveFindings, defaultLiveFindingsLimits } from "@backflow/analyzer/web/live/live-findings"
import { aBatch } from "@backflow/analyzer/testing/batches"
import { anUpdate } from "@backflow/analyzer/testing/connections"
import { anEdge } from "@backflow/analyzer/testing/couplings"
import { aHost } from "@backflow/analyzer/testing/hosts"
import { aProcess } from "@backflow/analyzer/testing/processes"
import { at } from "@backflow/analyzer/testing/time"

const owner = "4711:1"
const turn = { n: 1, x: 80, y: 80, xx: 6_400, yy: 6_400, xy: 6_400 }
const outsideA = anUpdate({ process: owner })
const hex = (n) => n.toString(16).padStart(16, "0")

/** A place of its own for each number: 60,000 ports of as many addresses as it takes. */
const place = (n) => ({ address: `10.0.${Math.floor(n / 60_000)}.1`, port: 1 + (n % 60_000) })

/** An edge that a relay into this place makes, once more used. */
export const edge = (n, second, uses = 1) =>
  anEdge({
    bRemote: place(n),
    bCookie: hex(n + 1),
    openedAfter: uses,
    forwardIn: 80 * uses,
    forwardOut: 80 * uses,
    backwardIn: 80 * uses,
    backwardOut: 80 * uses,
    forward: { n: uses, x: 80 * uses, y: 80 * uses, xx: 6_400 * uses, yy: 6_400 * uses, xy: 6_400 * uses },
    backward: { n: uses, x: 80 * uses, y: 80 * uses, xx: 6_400 * uses, yy: 6_400 * uses, xy: 6_400 * uses },
    firstUs: at(1),
    lastUs: at(second),
  })

/** Something that is no relay: one way only. */
const quietEdge = (n, second) => anEdge({ bRemote: place(n), forward: turn, firstUs: at(1), lastUs: at(second) })

export const connection = (n, second, changes = {}) =>
  anUpdate({ cookie: hex(n + 100_000), process: owner, remote: { address: `203.0.${113 + (n >> 16)}.${(n >> 8) & 255}`, port: 443 }, openedUs: at(1), observedUs: at(second), ...changes }) // prettier-ignore

export const child = (n, changes = {}) =>
  aProcess(["worker", String(n)], { key: `${5_000 + n}:1`, parent: owner, ...changes })

/** Each asks for a tunnel of its own: a finding each, of one identity. */
export const intent = (n) => child(n, { exe: "/usr/bin/ssh", argv: ["ssh", "-NR", `${n}:10.0.0.1:22`, `host-${n}`] })

/** What record n of a load is in a batch, and how it is told again. */
export const loads = {
  "edges of one group": (ns, second) => ({ edges: ns.map((n) => edge(n, second)) }),
  "edges of one group that say nothing": (ns, second) => ({ edges: ns.map((n) => quietEdge(n, second)) }),
  "connections of one process": (ns, second) => ({ connections: ns.map((n) => connection(n, second)) }),
  "processes of one parent": (ns) => ({ processes: ns.map((n) => child(n)) }),
  "findings of one identity": (ns) => ({ processes: ns.map((n) => intent(n)) }),
}

/** A host with the page's memory behind it, as the analyzer has them. */
export function aLine() {
  const stages = stagesFor({
    detectors: { longLivedSsh: { afterSeconds: 600 } },
    policy: { approved: [], suppressed: [], denied: [] },
  })
  const pipeline = new HostPipeline(aHost(), { networks: new Networks(), stages, trackerLimits: defaultTrackerLimits })
  const live = new LiveFindings(defaultLiveFindingsLimits)
  let seq = 0
  const apply = (second, parts) => {
    seq += 1
    const output = pipeline.apply(aBatch(seq, { observedUs: at(second), ...parts }))
    void live.write([output])
    return output
  }
  apply(0, { processes: [aProcess(["relay"], { key: owner })], connections: [outsideA] })
  return { apply, pipeline }
}
