import * as common from "@grafana/grafana-foundation-sdk/common"
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard"
import { PanelBuilder as BarChart } from "@grafana/grafana-foundation-sdk/barchart"
import { PanelBuilder as NodeGraph } from "@grafana/grafana-foundation-sdk/nodegraph"
import { PanelBuilder as Stat } from "@grafana/grafana-foundation-sdk/stat"
import { PanelBuilder as Table } from "@grafana/grafana-foundation-sdk/table"
import { PanelBuilder as TimeSeries } from "@grafana/grafana-foundation-sdk/timeseries"
import { ClickHouseQueryBuilder, datasource } from "../query.js"
import { columnOverrides } from "./columns.js"
import type { ColumnStyles } from "./columns.js"

/** What every panel must say. `width` is in 24ths of the page, `height` in rows of 30 pixels. */
export interface PanelText {
  readonly title: string
  /** What it shows, from what, and what it cannot show. */
  readonly description: string
  readonly sql: string
  readonly width: number
  readonly height?: number
  /** A unit of Grafana, such as "short", "bytes", "s". */
  readonly unit?: string
}

interface Describable {
  title(text: string): this
  description(text: string): this
  datasource(source: typeof datasource): this
  span(width: number): this
  height(rows: number): this
  unit(name: string): this
}

/** What all kinds of panel have in common. */
const withText = <Panel extends Describable>(panel: Panel, text: PanelText, height: number, unit: string): Panel =>
  panel
    .title(text.title)
    .description(text.description)
    .datasource(datasource)
    .span(text.width)
    .height(text.height ?? height)
    .unit(text.unit ?? unit)

const legend = () =>
  new common.VizLegendOptionsBuilder()
    .displayMode(common.LegendDisplayMode.List)
    .placement(common.LegendPlacement.Bottom)
    .showLegend(true)

const green = { color: "green", value: null }

/** One or more numbers. `alarmAt` is the value from which it is red; without it the number is neither good nor bad. */
export function stat(text: PanelText & { readonly alarmAt?: number; readonly goodAt?: number }): Stat {
  const steps =
    text.goodAt !== undefined
      ? [
          { color: "red", value: null },
          { color: "green", value: text.goodAt },
        ]
      : text.alarmAt !== undefined
        ? [green, { color: "red", value: text.alarmAt }]
        : [{ color: "text", value: null }]
  return withText(new Stat(), text, 3, "short")
    .noValue("0")
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(common.BigValueColorMode.Value)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false))
    .thresholds(new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(steps))
    .withTarget(new ClickHouseQueryBuilder(text.sql, "table"))
}

/** Lines over time, or stacked bars for things that happen. `minInterval` is the shortest interval between points. */
export function timeSeries(text: PanelText & { readonly bars?: boolean; readonly minInterval?: string }): TimeSeries {
  const panel = withText(new TimeSeries(), text, 8, "short")
    .min(0)
    .noValue("Nothing in this range")
    .interval(text.minInterval ?? "10s")
    .lineWidth(1)
    .fillOpacity(text.bars === true ? 80 : 8)
    .drawStyle(text.bars === true ? common.GraphDrawStyle.Bars : common.GraphDrawStyle.Line)
    .showPoints(common.VisibilityMode.Auto)
    .legend(legend())
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    )
    .withTarget(new ClickHouseQueryBuilder(text.sql, "timeseries"))
  if (text.bars === true) panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group("A"))
  return panel
}

/** Rows as they are; `columns` says how each is drawn. */
export function table(text: PanelText & { readonly columns?: ColumnStyles }): Table {
  const panel = withText(new Table(), text, 8, "none")
    .noValue("")
    .filterable(true)
    .cellHeight(common.TableCellHeight.Sm)
    .withTarget(new ClickHouseQueryBuilder(text.sql, "table"))
  for (const { name, properties } of columnOverrides(text.columns ?? {})) panel.overrideByName(name, properties)
  return panel
}

/** Horizontal bars: the first column names them. */
export function bars(text: PanelText): BarChart {
  return withText(new BarChart(), text, 8, "short")
    .min(0)
    .noValue("Nothing in this range")
    .orientation(common.VizOrientation.Horizontal)
    .showValue(common.VisibilityMode.Auto)
    .legend(legend())
    .withTarget(new ClickHouseQueryBuilder(text.sql, "table"))
}

/** Nodes with columns id, title, subtitle, mainstat; edges with id, source, target, mainstat. */
export function nodeGraph(text: PanelText & { readonly edges: string }): NodeGraph {
  return withText(new NodeGraph(), text, 10, "bytes")
    .withTarget(new ClickHouseQueryBuilder(text.sql, "table", "nodes"))
    .withTarget(new ClickHouseQueryBuilder(text.edges, "table", "edges"))
}
