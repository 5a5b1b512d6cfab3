import { useEffect, useRef } from "preact/hooks"
import uPlot from "uplot"
import type { CouplingCurve } from "../../contract.js"
import { bytes } from "../text/amounts.js"
import { printable } from "../text/printable.js"
import { series, totals } from "./curve.js"

const heightPx = 190

/** Bytes so far over time: curves that rise together are what the finding is about. */
export function CouplingChart({ curve }: { readonly curve: CouplingCurve }) {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | undefined>(undefined)
  useEffect(() => {
    const element = place.current
    if (element === null) return undefined
    const plot = new uPlot(options(element), totals(curve), element)
    chart.current = plot
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: heightPx }))
    observer.observe(element)
    const dark = matchMedia("(prefers-color-scheme: dark)")
    const redraw = () => plot.redraw()
    dark.addEventListener("change", redraw)
    return () => {
      dark.removeEventListener("change", redraw)
      observer.disconnect()
      plot.destroy()
    }
  }, [])
  useEffect(() => chart.current?.setData(totals(curve)), [curve])
  return <div class="chart" ref={place} role="img" aria-label={description(curve)} />
}

/** Of the series by their place: the first and the last are on the connection to the outside. */
const isOutside = (i: number) => i === 0 || i === 3

function description(curve: CouplingCurve): string {
  const columns = totals(curve)
  const parts = series.map(({ label }, i) => `${bytes(columns[i + 1]?.at(-1) ?? 0)} ${label}`)
  return `Bytes over time through ${printable(curve.channel)}: ${parts.join(", ")}.`
}

function options(element: HTMLElement): uPlot.Options {
  const colour = (name: string) => () => getComputedStyle(element).getPropertyValue(name).trim()
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--border"), width: 1 }, ticks: { show: false } }
  return {
    width: element.clientWidth,
    height: heightPx,
    // As the curves are drawn: colour alone does not tell outside from inside.
    legend: { live: true, markers: { dash: (_chart, i) => (isOutside(i - 1) ? "solid" : "dashed") } },
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_chart, _min, max) => [0, Math.max(1, max * 1.08)] } },
    axes: [axis, { ...axis, size: 62, values: (_chart: uPlot, ticks: number[]) => ticks.map((value) => bytes(value)) }],
    series: [
      {},
      ...series.map(({ label, way }, i) => ({
        label,
        stroke: colour(way === "in" ? "--in" : "--out"),
        width: 2,
        // The outside is drawn solid, the inside dashed.
        ...(isOutside(i) ? {} : { dash: [5, 4] }),
        value: (_chart: uPlot, value: number | null) => (value === null ? "" : bytes(value)),
        points: { show: false },
      })),
    ],
  }
}
