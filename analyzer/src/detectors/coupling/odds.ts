/** What speaks for a relay and what against it, in words and numbers: who waited for whom, and what each observation weighs. */
import type { TurnOrder } from "../../domain/coupling.js"
import type { Evidence } from "../../domain/finding.js"
import type { Microseconds } from "../../domain/identity.js"
import type { Verdict } from "./judge.js"
import { hasOrder } from "./order.js"
import type { ObservationName } from "./order.js"

const names: Readonly<Record<ObservationName, string>> = {
  forwardSizes: "sizes on the way in",
  backwardSizes: "sizes on the way out",
  waited: "waited for the far side before it wrote",
  straight: "wrote at once to what it had opened",
  prompted: "went on only when the far side spoke",
  own: "went on without the far side",
  passed: "passed answers on",
  neverPassed: "passed no answer on",
  kept: "kept answers",
  streamed: "passed answers on piece by piece",
  closedAfter: "closed after the far side's last word",
  closedAlone: "closed by itself",
  openedAlone: "opened with the far side silent",
  chance: "sooner than chance",
  joinedByWorkload: "two processes that nothing but their workload joins",
}

/** Nothing where nobody was seen to wait. */
export function orderEvidence(order: TurnOrder, atUs: Microseconds): readonly Evidence[] {
  if (!hasOrder(order)) return []
  const { waited, straight, prompted, own, streamed, closedAfter, closedAlone } = order
  const sentences = [
    share(waited, straight, "first writes to what was opened came after the far side had spoken again"),
    share(prompted, own, "writes after an answer came after the far side had spoken again"),
    share(closedAfter, closedAlone, "closings came after the far side's last word"),
    streamed > 0
      ? `answers went on ${streamed === 1 ? "once" : `${streamed} times`} after their first part had left`
      : "",
  ].filter((sentence) => sentence !== "")
  return [
    {
      kind: "order",
      text: `Who waited for whom: ${sentences.join("; ")}.`,
      atUs,
      facts: {
        waited,
        straight,
        prompted,
        own,
        streamed,
        passed: order.passed,
        kept: order.kept,
        closed_after: closedAfter,
        closed_alone: closedAlone,
        opened_late: order.openedLate,
      },
    },
  ]
}

function share(part: number, rest: number, of: string): string {
  return part + rest === 0 ? "" : `${part} of ${part + rest} ${of}`
}

/** All that was weighed, strongest first. */
export function oddsEvidence({ observations, bits }: Verdict, atUs: Microseconds): Evidence {
  const sorted = [...observations].sort((a, b) => Math.abs(b.bits) - Math.abs(a.bits))
  const list = (sign: 1 | -1) =>
    sorted.flatMap(({ name, bits: weight }) => (weight * sign >= 0.05 ? [`${names[name]} ${weight.toFixed(1)}`] : []))
  const [pro, contra] = [list(1), list(-1)]
  return {
    kind: "odds",
    text:
      `Evidence for somebody outside, in bits: ${pro.join(", ") || "none"}. ` +
      `Against: ${contra.join(", ") || "none"}. In all ${bits.toFixed(1)}.`,
    atUs,
    facts: {
      bits: Math.round(bits * 100) / 100,
      ...Object.fromEntries(
        observations.map(({ name, bits: weight }) => [snake(name), Math.round(weight * 100) / 100]),
      ),
    },
  }
}

function snake(name: string): string {
  return `${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_bits`
}
