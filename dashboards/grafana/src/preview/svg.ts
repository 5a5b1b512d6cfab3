import { formatUnit } from "./units.js"

export const escapeHtml = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")

export const palette = [
  "#73bf69",
  "#f2cc0c",
  "#8ab8ff",
  "#ff780a",
  "#f2495c",
  "#b877d9",
  "#5794f2",
  "#37872d",
  "#fade2a",
  "#c0d8ff",
]
const color = (index: number) => palette[index % palette.length] ?? "#ccc"

/** Times in seconds since the Unix epoch. */
export interface Series {
  readonly name: string
  readonly points: readonly (readonly [time: number, value: number])[]
}

export interface Axes {
  readonly width: number
  readonly height: number
  readonly from: number
  readonly to: number
  /** Of a point, in seconds: the width of a bar. */
  readonly interval: number
  readonly unit: string
}

const margin = { left: 58, right: 8, top: 6, bottom: 36 }

const clock = (time: number) => new Date(time * 1_000).toISOString().slice(11, 16)

/** Lines, or bars on top of one another. */
export function chart(series: readonly Series[], axes: Axes, isStacked: boolean): string {
  const { width, height, from, to, interval, unit } = axes
  const plot = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom }
  const top = highest(series, isStacked) || 1
  const x = (time: number) => margin.left + ((time - from) / (to - from)) * plot.width
  const y = (value: number) => margin.top + plot.height * (1 - value / top)
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (part) =>
      `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${y(part * top)}" y2="${y(part * top)}"/><text class="axis" text-anchor="end" x="${margin.left - 5}" y="${y(part * top) + 4}">${formatUnit(part * top, unit)}</text>`,
  )
  const ticks = [0, 1, 2, 3, 4].map((i) => from + ((to - from) * (i + 0.5)) / 5)
  const times = ticks.map(
    (time) => `<text class="axis" text-anchor="middle" x="${x(time)}" y="${height - 22}">${clock(time)}</text>`,
  )
  const bottoms = new Map<number, number>()
  const marks = series.map(({ points }, index) => {
    if (!isStacked) {
      const path = points.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`).join(" ")
      return `<polyline fill="none" stroke="${color(index)}" stroke-width="1.5" points="${path}"/>`
    }
    return points
      .map(([time, value]) => {
        const below = bottoms.get(time) ?? 0
        bottoms.set(time, below + value)
        const wide = Math.max(3, (interval / (to - from)) * plot.width - 1)
        return `<rect fill="${color(index)}" x="${x(time).toFixed(1)}" y="${y(below + value).toFixed(1)}" width="${wide.toFixed(1)}" height="${(y(below) - y(below + value)).toFixed(1)}"/>`
      })
      .join("")
  })
  return `<svg width="${width}" height="${height}">${grid.join("")}${times.join("")}${marks.join("")}${legend(series, height)}</svg>`
}

function highest(series: readonly Series[], isStacked: boolean): number {
  const sums = new Map<number, number>()
  for (const { points } of series) {
    for (const [time, value] of points)
      sums.set(time, isStacked ? (sums.get(time) ?? 0) + value : Math.max(sums.get(time) ?? 0, value))
  }
  return Math.max(0, ...sums.values())
}

function legend(series: readonly Series[], height: number): string {
  let at = margin.left
  return series
    .slice(0, 8)
    .map(({ name }, index) => {
      const here = at
      at += 24 + 6.2 * name.length
      return `<rect fill="${color(index)}" x="${here}" y="${height - 10}" width="12" height="4"/><text class="axis" x="${here + 16}" y="${height - 5}">${escapeHtml(name)}</text>`
    })
    .join("")
}

/** Horizontal bars. */
export function barChart(
  rows: readonly (readonly [name: string, value: number])[],
  width: number,
  unit: string,
): string {
  const top = Math.max(1, ...rows.map(([, value]) => value))
  const bars = rows.map(
    ([name, value], i) =>
      `<text class="axis" x="4" y="${i * 34 + 22}">${escapeHtml(name)}</text><rect fill="${color(0)}" x="100" y="${i * 34 + 8}" width="${((width - 150) * value) / top}" height="20"/><text class="axis" x="${106 + ((width - 150) * value) / top}" y="${i * 34 + 22}">${formatUnit(value, unit)}</text>`,
  )
  return `<svg width="${width}" height="${rows.length * 34 + 10}">${bars.join("")}</svg>`
}

export interface Node {
  readonly id: string
  readonly title: string
  readonly subtitle: string
}

export interface Edge {
  readonly source: string
  readonly target: string
  readonly mainstat: string
}

/** Outside on the left, processes in the middle, what they touched on the right. */
export function nodeGraph(nodes: readonly Node[], edges: readonly Edge[], width: number, height: number): string {
  const sources = new Set(edges.map(({ source }) => source))
  const columnOf = ({ id, subtitle }: Node) =>
    subtitle === "outside" ? 0 : subtitle === "inside" && !sources.has(id) ? 2 : 1
  const places = new Map<string, { x: number; y: number }>()
  for (const column of [0, 1, 2]) {
    const here = nodes.filter((node) => columnOf(node) === column)
    here.forEach(({ id }, i) =>
      places.set(id, { x: 75 + (column * (width - 150)) / 2, y: ((i + 0.5) * (height - 30)) / here.length + 4 }),
    )
  }
  const arrows = edges.flatMap(({ source, target, mainstat }) => {
    const [a, b] = [places.get(source), places.get(target)]
    if (a === undefined || b === undefined) return []
    return [
      `<line class="edge" x1="${a.x}" y1="${a.y}" x2="${b.x}" y2="${b.y}"/><text class="axis" text-anchor="middle" x="${(a.x + b.x) / 2}" y="${(a.y + b.y) / 2 - 4}">${escapeHtml(mainstat)}</text>`,
    ]
  })
  const circles = nodes.flatMap((node) => {
    const place = places.get(node.id)
    if (place === undefined) return []
    return [
      `<circle cx="${place.x}" cy="${place.y}" r="9" fill="#1f1f24" stroke="${color([4, 1, 0][columnOf(node)] ?? 0)}" stroke-width="3"/><text class="label" text-anchor="middle" x="${place.x}" y="${place.y + 22}">${escapeHtml(node.title)}</text><text class="axis" text-anchor="middle" x="${place.x}" y="${place.y + 34}">${escapeHtml(node.subtitle)}</text>`,
    ]
  })
  return `<svg width="${width}" height="${height}">${arrows.join("")}${circles.join("")}</svg>`
}
