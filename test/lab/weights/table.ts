/** Fitted weights in Markdown. */
import { couplingThresholds } from "@backflow/analyzer/detectors/coupling/thresholds"
import type { Interval } from "./regression.js"
import type { Seen, Trial, Weights, Worth } from "./weigh.js"
import { halfOf } from "./weigh.js"

export function weightsMarkdown(found: Weights): string {
  return [summary(found), worthTable(found.worth), trialTable(found.trials), calibrationTable(found.trials)].join(
    "\n\n",
  )
}

function summary({ samples, byRole }: Weights): string {
  const count = (half: 1 | 2, kind: "malicious" | "benign") =>
    samples.filter((one) => halfOf(one) === half && one.kind === kind).length
  const halves = ([1, 2] as const).map(
    (half) => `${count(half, "malicious")} malicious and ${count(half, "benign")} benign`,
  )
  return (
    `Scenarios with edges that the score judges: ${halves.join(" in the first half, ")} in the second. ` +
    `${byRole.length} more are decided by the role of an SSH client, and have no part in this.`
  )
}

function worthTable(worth: readonly Worth[]): string {
  const rows = worth.map((one) => {
    const [first, second] = one.halves
    const cells = [
      one.observation,
      present(one.observation),
      ...[first, second, one.all].map(intervalText),
      seenText(one.malicious),
      seenText(one.benign),
      reading(one),
    ]
    return `| ${cells.join(" | ")} |`
  })
  const head =
    "| observation | bits now | factor, first half | second half | all | malicious, mean | benign, mean | reading |"
  return [head, "| --- | --- | --- | --- | --- | --- | --- | --- |", ...rows].join("\n")
}

const { order, conservation, chance, joinedByWorkloadBits } = couplingThresholds

/** A range for what depends on the sizes; otherwise what each time counts, and the least and the most of it. */
function present(observation: string): string {
  const range = ({ min, max }: { readonly min: number; readonly max: number }) => `${min} to ${max}`
  if (observation === "forwardSizes") return range({ ...conservation.bits, max: conservation.forwardMaxBits })
  if (observation === "backwardSizes") return range(conservation.bits)
  if (observation === "chance") return `at most ${chance.max}, less ${chance.leadBits} each`
  if (observation === "joinedByWorkload") return `${joinedByWorkloadBits}`
  const [each, min, max] = order[observation as keyof typeof order]
  return `${each} each, ${range({ min, max })}`
}

const intervalText = ({ value, low, high }: Interval): string =>
  `${value.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
const seenText = ({ count, meanBits }: Seen): string => (count === 0 ? "-" : `${count}, ${meanBits.toFixed(1)}`)

/** An interval that is not narrower than this says what was believed before, and nothing that was seen: the prior's has 2.95. */
const uninformed = 2.2

/** What both halves say, each by itself: 1 is the weight as it is. */
function reading({ halves, all }: Worth): string {
  if (all.high - all.low > uninformed) return "too little seen"
  if (halves.every(({ low }) => low > 1)) return "says more"
  if (halves.every(({ high }) => high < 1)) return "says less"
  return halves.some(({ low, high }) => low > 1 || high < 1) ? "halves differ" : "as it is"
}

const share = (part: number, of: number): string => (of === 0 ? "-" : `${part} of ${of}`)

function trialTable(trials: readonly Trial[]): string {
  const rows = trials.map(({ weights, half, reached, logLoss }) => {
    const cells = [reached.note, reached.medium, reached.high, reached.certain].map(
      ({ recall, falseAlarms }) => `${share(recall.count, recall.of)}; ${share(falseAlarms.count, falseAlarms.of)}`,
    )
    return `| ${weights} | ${half === 1 ? "first" : "second"} | ${cells.join(" | ")} | ${logLoss.toFixed(3)} |`
  })
  const head = "| weights | tried on | note: malicious; benign | medium | high | certain | log-loss, bits |"
  return [head, "| --- | --- | --- | --- | --- | --- | --- |", ...rows].join("\n")
}

function calibrationTable(trials: readonly Trial[]): string {
  const names = ["as they are", "fitted"] as const
  const percent = (value: number): string => `${(100 * value).toFixed(0)} %`
  const bins = trials[0]?.calibration ?? []
  const rows = bins.map(({ from, to }, i) => {
    const cells = names.map((name) => {
      const of = trials.filter(({ weights }) => weights === name).flatMap(({ calibration }) => calibration[i] ?? [])
      const [count, expected, malicious] = (["count", "expected", "malicious"] as const).map((key) =>
        of.reduce((sum, bin) => sum + bin[key], 0),
      )
      return `${malicious ?? 0} of ${count ?? 0}, ${(expected ?? 0).toFixed(1)} expected`
    })
    return `| ${percent(from)} to ${percent(to)} | ${cells.join(" | ")} |`
  })
  const head = "| probability by the score | malicious, weights as they are | malicious, weights fitted |"
  return [head, "| --- | --- | --- |", ...rows].join("\n")
}
