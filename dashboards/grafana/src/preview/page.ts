import type { Severity } from "@backflow/analyzer/domain/severity"
import type { DashboardJson, PanelJson } from "../plugin/dashboard-shape.js"
import type { Range } from "../plugin/macros.js"
import { barChart, chart, escapeHtml, nodeGraph, palette } from "./svg.js"
import type { Series } from "./svg.js"
import { formatUnit } from "./units.js"

export type Row = Readonly<Record<string, string | number | null>>
/** Rows by target of the panel. */
export type PanelRows = Readonly<Record<string, readonly Row[]>>

export const pageWidth = 1_280
const gap = 8
const rowHeight = 34
const cell = (pageWidth - 2 * gap) / 24

const style = `
body { margin: 0; background: #111217; color: #ccccdc; font: 13px/1.4 sans-serif; width: ${pageWidth}px }
header { padding: 10px ${gap + 4}px } h1 { font-size: 19px; margin: 0 } header p { margin: 2px 0 0; color: #ffb357 }
section { position: absolute; background: #181b1f; border: 1px solid #2c3235; border-radius: 3px; overflow: hidden; box-sizing: border-box }
h2 { font-size: 13px; font-weight: 600; margin: 6px 8px 4px } main { position: relative }
.stats { display: flex; justify-content: space-around; text-align: center } .stats b { display: block; font-size: 30px; line-height: 1.2 }
table { border-collapse: collapse; width: 100%; font-size: 12px } th { text-align: left; color: #8ab8ff; font-weight: 500 }
td, th { padding: 3px 8px; border-bottom: 1px solid #24292e; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; max-width: 330px }
.axis { fill: #9a9ba8; font-size: 11px } .label { fill: #ccccdc; font-size: 11.5px } .grid { stroke: #26292f } .edge { stroke: #6e7079; stroke-width: 1.5 }
.empty { color: #8e8e99; text-align: center; padding: 24px }
a { color: #6e9fff; text-decoration: none }`

const severityColors: Readonly<Record<Severity, string>> = {
  critical: "#c4162a",
  high: "#f2495c",
  medium: "#ff9830",
  low: "#fade2a",
  info: "#5794f2",
}

/** A page with the panels of a dashboard where its JSON lays them. */
export function previewPage(
  dashboard: DashboardJson,
  range: (panel: PanelJson) => Range,
  rowsByPanel: ReadonlyMap<number, PanelRows>,
  values: string,
): string {
  const panels = dashboard.panels.map((panel) => panelHtml(panel, range(panel), rowsByPanel.get(panel.id) ?? {}))
  const height = Math.max(...dashboard.panels.map(({ gridPos }) => (gridPos.y + gridPos.h) * rowHeight))
  return `<!doctype html><meta charset="utf-8"><style>${style}</style><header><h1>${escapeHtml(dashboard.title)}</h1>
<p>A preview of queries and layout, drawn by a script on a seeded store. This is not Grafana. ${escapeHtml(values)}</p></header>
<main style="height:${height}px">${panels.join("")}</main>`
}

function panelHtml(panel: PanelJson, range: Range, rowsByTarget: PanelRows): string {
  const { x, y, w, h } = panel.gridPos
  const size = { width: w * cell - gap, height: h * rowHeight - gap }
  const place = `left:${gap + x * cell}px;top:${y * rowHeight}px;width:${size.width}px;height:${size.height}px`
  return `<section style="${place}" title="${escapeHtml(panel.description)}"><h2>${escapeHtml(panel.title)}</h2>${bodyHtml(panel, range, rowsByTarget, { width: size.width - 12, height: size.height - 34 })}</section>`
}

function bodyHtml(
  panel: PanelJson,
  range: Range,
  rowsByTarget: PanelRows,
  size: { width: number; height: number },
): string {
  const rows = rowsByTarget["A"] ?? rowsByTarget["nodes"] ?? []
  if (rows.length === 0) return `<p class="empty">Nothing in this range</p>`
  const unit = panel.fieldConfig.defaults.unit
  switch (panel.type) {
    case "stat":
      return statHtml(panel, rows[0] ?? {}, unit)
    case "timeseries":
      return chart(
        seriesOf(rows),
        { ...size, from: range.from, to: range.to, interval: range.intervalSeconds, unit },
        JSON.stringify(panel.fieldConfig).includes('"drawStyle":"bars"'),
      )
    case "barchart":
      return barChart(
        rows.map((row) => pair(Object.values(row))),
        size.width,
        unit,
      )
    case "nodeGraph":
      return nodeGraph(
        rows.map(({ id, title, subtitle }) => ({ id: String(id), title: String(title), subtitle: String(subtitle) })),
        (rowsByTarget["edges"] ?? []).map(({ source, target, mainstat }) => ({
          source: String(source),
          target: String(target),
          mainstat: String(mainstat),
        })),
        size.width,
        size.height,
      )
    default:
      return tableHtml(panel, rows, size.height)
  }
}

const pair = ([name, value]: readonly (string | number | null)[]): [string, number] => [String(name), Number(value)]

function statHtml(panel: PanelJson, row: Row, unit: string): string {
  const steps = (panel.fieldConfig.defaults["thresholds"] as { steps: { color: string; value: number | null }[] }).steps
  const colors: Readonly<Record<string, string>> = { red: "#f2495c", green: palette[0] ?? "", text: "#ccccdc" }
  const entries = Object.entries(row)
  return `<div class="stats">${entries
    .map(([name, value]) => {
      const number = Number(value)
      const step = steps.findLast((candidate) => number >= (candidate.value ?? Number.NEGATIVE_INFINITY))
      return `<div style="color:${colors[step?.color ?? "text"] ?? "#ccc"}"><b>${formatUnit(number, unit)}</b>${entries.length > 1 ? escapeHtml(name.replaceAll("_", " ")) : ""}</div>`
    })
    .join("")}</div>`
}

/** Rows with a column "name" make a series each; without one, each column does. */
function seriesOf(rows: readonly Row[]): Series[] {
  const series = new Map<string, [number, number][]>()
  for (const { time, name, ...fields } of rows) {
    for (const [field, value] of Object.entries(fields)) {
      const key = name === undefined ? field : String(name)
      const points = series.get(key) ?? []
      series.set(key, points)
      points.push([Date.parse(`${String(time).replace(" ", "T")}Z`) / 1_000, Number(value)])
    }
  }
  return [...series].map(([name, points]) => ({ name, points }))
}

function tableHtml(panel: PanelJson, rows: readonly Row[], height: number): string {
  const units = new Map(
    panel.fieldConfig.overrides.map(({ matcher, properties }) => [
      matcher.options,
      properties.find(({ id }) => id === "unit")?.value,
    ]),
  )
  const names = Object.keys(rows[0] ?? {}).filter((name) => name !== "host_id")
  const cells = (row: Row) =>
    names.map((name) => `<td>${cellHtml(name, row[name] ?? "", units.get(name))}</td>`).join("")
  const shown = rows.slice(0, Math.floor(height / 24) - 1)
  return `<table><tr>${names.map((name) => `<th>${escapeHtml(name)}</th>`).join("")}</tr>${shown.map((row) => `<tr>${cells(row)}</tr>`).join("")}</table>`
}

function cellHtml(name: string, value: string | number, unit: unknown): string {
  if (name === "severity") return `<b style="color:${severityColors[value as Severity]}">${value}</b>`
  if (name === "id") return `<a>${escapeHtml(String(value).slice(0, 4))}…${escapeHtml(String(value).slice(-4))}</a>`
  if (typeof unit === "string") return escapeHtml(formatUnit(Number(value), unit))
  return escapeHtml(String(value).replace(/\.\d{3,6}$/, ""))
}
