import type { Severity } from "@backflow/analyzer/domain/severity"
import type { DynamicConfigValue } from "@grafana/grafana-foundation-sdk/dashboard"
import { findingLink, hostLink } from "../links.js"

/** How a column of a table is drawn: a unit of Grafana, or what it leads to. */
export type ColumnStyle = { readonly unit: string } | "severity" | "finding" | "host"
export type ColumnStyles = Readonly<Record<string, ColumnStyle>>

const severityColors: Readonly<Record<Severity, string>> = {
  critical: "dark-red",
  high: "red",
  medium: "orange",
  low: "yellow",
  info: "blue",
}

const severityProperties: DynamicConfigValue[] = [
  { id: "custom.width", value: 90 },
  { id: "custom.cellOptions", value: { type: "color-text" } },
  {
    id: "mappings",
    value: [
      {
        type: "value",
        options: Object.fromEntries(
          Object.entries(severityColors).map(([name, color], index) => [name, { color, index, text: name }]),
        ),
      },
    ],
  },
]

function propertiesOf(style: ColumnStyle): DynamicConfigValue[] {
  switch (style) {
    case "severity":
      return severityProperties
    case "finding":
      return [
        { id: "custom.width", value: 110 },
        { id: "links", value: [findingLink] },
      ]
    case "host":
      return [{ id: "links", value: [hostLink] }]
    default:
      return [{ id: "unit", value: style.unit }]
  }
}

/** Overrides by the name of a column. */
export function columnOverrides(styles: ColumnStyles): { name: string; properties: DynamicConfigValue[] }[] {
  return Object.entries(styles).map(([name, style]) => ({ name, properties: propertiesOf(style) }))
}
