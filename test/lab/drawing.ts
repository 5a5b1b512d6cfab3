/** Pictures of a run as SVG: latencies as a cumulative curve, rates with their bounds as bars. Pure. */
import type { Outcome } from "./outcome.js"
import { afterConnectMs, afterUseMs, isPlayed, score } from "./score.js"
import type { Rate } from "./score.js"

const [width, height] = [760, 400]
const box = { left: 64, right: 744, top: 28, bottom: 320 }

const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

function picture(title: string, size: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${size}" font-family="sans-serif" font-size="12" fill="#24292f">`,
    `<rect width="${width}" height="${size}" fill="#ffffff"/>`,
    `<text x="${box.left}" y="16">${escaped(title)}</text>`,
    ...parts,
    "</svg>\n",
  ].join("\n")
}

/** Share of the found cases by the time to the alert; the axis of time in steps of ten, from 10 ms to 100 s. */
export function latencyDrawing(outcomes: readonly Outcome[]): string {
  const played = outcomes.filter(isPlayed)
  const curves = [
    { name: "from the first use", colour: "#1f6feb", values: played.map(afterUseMs) },
    { name: "from connect", colour: "#8250df", values: played.map(afterConnectMs) },
  ]
  const [first, last] = [1, 5]
  const x = (ms: number): number => {
    const power = Math.min(last, Math.max(first, Math.log10(Math.max(ms, 1))))
    return box.left + ((power - first) / (last - first)) * (box.right - box.left)
  }
  const y = (share: number): number => box.bottom - share * (box.bottom - box.top)
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line x1="${box.left}" x2="${box.right}" y1="${y(share)}" y2="${y(share)}" stroke="#d0d7de"/>` +
      `<text x="${box.left - 8}" y="${y(share) + 4}" text-anchor="end">${share * 100} %</text>`,
  )
  const ticks = ["10 ms", "100 ms", "1 s", "10 s", "100 s"].map(
    (label, i) => `<text x="${x(10 ** (i + first))}" y="${box.bottom + 18}" text-anchor="middle">${label}</text>`,
  )
  const lines = curves.map(({ name, colour, values }, i) => {
    const known = values.filter((value) => value !== undefined).sort((a, b) => a - b)
    const steps = known.flatMap((ms, n) => [
      `${x(ms).toFixed(1)},${y(n / known.length).toFixed(1)}`,
      `${x(ms).toFixed(1)},${y((n + 1) / known.length).toFixed(1)}`,
    ])
    const top = box.bottom + 44 + 20 * i
    return (
      `<polyline points="${steps.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>` +
      `<rect x="${box.left}" y="${top - 9}" width="14" height="4" fill="${colour}"/>` +
      `<text x="${box.left + 22}" y="${top}">${name}, ${known.length} cases</text>`
    )
  })
  return picture("Time to the alert, share of the cases that were found", height, [...grid, ...ticks, ...lines])
}

/** A bar of each family: the share with an alert, and its bounds at 95 %. */
export function rateDrawing(outcomes: readonly Outcome[]): string {
  const bars = [...new Set(outcomes.map(({ family }) => family))].flatMap((name) => {
    const s = score(outcomes.filter(({ family }) => family === name))
    return [
      ...(s.recall.of === 0 ? [] : [{ name, rate: s.recall, colour: "#1a7f37" }]),
      ...(s.falseAlarms.of === 0 ? [] : [{ name, rate: s.falseAlarms, colour: "#cf222e" }]),
    ]
  })
  const left = 220
  const x = (share: number): number => left + share * (box.right - left - 40)
  const rows = bars.map(({ name, rate, colour }, i) => {
    const middle = box.top + 14 + i * 22
    return (
      `<text x="${left - 8}" y="${middle + 4}" text-anchor="end">${escaped(name)}</text>` +
      `<rect x="${left}" y="${middle - 6}" width="${(x(shareOf(rate)) - left).toFixed(1)}" height="12" fill="${colour}" opacity="0.75"/>` +
      `<line x1="${x(rate.low).toFixed(1)}" x2="${x(rate.high).toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#24292f"/>` +
      `<text x="${x(1) + 8}" y="${middle + 4}">${rate.count}/${rate.of}</text>`
    )
  })
  const bottom = box.top + 14 + bars.length * 22
  const key = `<text x="${left}" y="${bottom + 14}">green: malicious cases found; red: benign cases with an alert; lines: bounds at 95 %</text>`
  return picture("Share of the cases with an alert", bottom + 28, [...rows, key])
}

const shareOf = ({ count, of }: Rate): number => (of === 0 ? 0 : count / of)
