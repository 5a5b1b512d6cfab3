import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog"

/** The plugin that runs the dashboards' statements. Its query type is not in the SDK. */
export const pluginId = "grafana-clickhouse-datasource"

/** Whatever data source is chosen at the top of the dashboard. */
export const datasource = { type: pluginId, uid: "${datasource}" }

/** How the plugin shapes rows: by time and labels, or as they are. */
export type Shape = "timeseries" | "table"

export interface ClickHouseQuery extends Dataquery {
  refId: string
  datasource: typeof datasource
  editorType: "sql"
  rawSql: string
  queryType: Shape
  /** The number of `queryType` for versions of the plugin before 4.0. */
  format: 0 | 1
  pluginVersion: string
}

/** A statement with the plugin's macros and the dashboard's variables in it. */
export class ClickHouseQueryBuilder implements Builder<Dataquery> {
  readonly #query: ClickHouseQuery

  constructor(rawSql: string, shape: Shape, refId = "A") {
    this.#query = {
      refId,
      datasource,
      editorType: "sql",
      rawSql: rawSql.trim(),
      queryType: shape,
      format: shape === "timeseries" ? 0 : 1,
      pluginVersion: "4.20.0",
      _implementsDataqueryVariant: () => undefined,
    }
  }

  build(): ClickHouseQuery {
    return this.#query
  }
}
