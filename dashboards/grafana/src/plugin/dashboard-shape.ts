import { z } from "zod"
import { pluginId } from "../query.js"

/** The part of Grafana's dashboard format (schema version 42) that is used here. Keys beyond it are kept. */
const source = z.strictObject({ type: z.literal(pluginId), uid: z.literal("${datasource}") })

const gridPos = z.looseObject({
  x: z.int().min(0).max(23),
  y: z.int().min(0),
  w: z.int().min(1).max(24),
  h: z.int().min(2),
})

const target = z.strictObject({
  refId: z.string().min(1),
  datasource: source,
  editorType: z.literal("sql"),
  rawSql: z.string().min(1),
  queryType: z.enum(["timeseries", "table"]),
  format: z.union([z.literal(0), z.literal(1)]),
  pluginVersion: z.string().regex(/^4\.\d+\.\d+$/),
})

const override = z.strictObject({
  matcher: z.strictObject({ id: z.literal("byName"), options: z.string() }),
  properties: z.array(z.strictObject({ id: z.string(), value: z.unknown() })),
})

const panel = z.looseObject({
  id: z.int().positive(),
  type: z.enum(["stat", "timeseries", "table", "barchart", "nodeGraph"]),
  title: z.string().min(1),
  description: z.string().min(1),
  datasource: source,
  gridPos,
  interval: z.string().optional(),
  targets: z.array(target).min(1),
  fieldConfig: z.looseObject({
    defaults: z.looseObject({ unit: z.string().min(1) }),
    overrides: z.array(override),
  }),
})

const values = z.union([z.string(), z.array(z.string())])

const variable = z.looseObject({
  type: z.enum(["datasource", "query", "custom", "textbox"]),
  name: z.string().regex(/^[a-z]+$/),
  label: z.string().min(1),
  description: z.string().min(1),
  query: z.string(),
  current: z.looseObject({ text: values, value: values }).optional(),
})

export const dashboardShape = z.looseObject({
  id: z.null(),
  uid: z.string().regex(/^backflow-[a-z-]{1,31}$/),
  title: z.string().min(1),
  description: z.string().min(1),
  tags: z.array(z.string()).min(1),
  schemaVersion: z.literal(42),
  refresh: z.string().min(1),
  time: z.strictObject({ from: z.string().regex(/^now-\d+[mhd]$/), to: z.literal("now") }),
  links: z
    .array(
      z.looseObject({ type: z.literal("dashboards"), tags: z.array(z.string()).min(1), keepTime: z.literal(true) }),
    )
    .min(1),
  templating: z.strictObject({ list: z.array(variable) }),
  annotations: z.strictObject({
    list: z.array(z.looseObject({ name: z.string().min(1), datasource: source, enable: z.boolean(), target })).min(1),
  }),
  panels: z.array(panel).min(1),
})

export type DashboardJson = z.infer<typeof dashboardShape>
export type PanelJson = DashboardJson["panels"][number]
