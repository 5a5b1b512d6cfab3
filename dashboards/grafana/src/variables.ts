import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard"
import { findingClasses } from "@backflow/analyzer/domain/finding-classes"
import { severities } from "@backflow/analyzer/domain/severity"
import { datasource, pluginId } from "./query.js"

const all = { text: ["All"], value: ["$__all"] }

export const datasourceVariable = () =>
  new dashboard.DatasourceVariableBuilder("datasource")
    .label("Store")
    .description("The ClickHouse data source that Backflow writes to.")
    .type(pluginId)

interface Choice {
  readonly name: string
  readonly label: string
  readonly description: string
  readonly sql: string
}

/** Values from the store, several of them or all. With two columns the first is the value and the second its text. */
function choices({ name, label, description, sql }: Choice) {
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .datasource(datasource)
    .query(sql)
    .definition(sql)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalCaseInsensitiveAsc)
}

const hosts: Choice = {
  name: "host",
  label: "Host",
  description: "Hosts that reported within the range.",
  sql: `SELECT host_id, any(host_name) AS host_name FROM host_reports
WHERE $__timeFilter(at) GROUP BY host_id ORDER BY host_name LIMIT 5000`,
}

export const hostVariable = () => choices(hosts).multi(true).includeAll(true).current(all)

/** One host, the first of the list until another is chosen. */
export const singleHostVariable = () => choices(hosts)

const programColumn = (name: string, label: string, column: string, description: string) =>
  choices({
    name,
    label,
    description,
    sql: `SELECT DISTINCT ${column} AS value FROM outbound_hourly
WHERE $__timeFilter(hour) ORDER BY value LIMIT 1000`,
  })
    .multi(true)
    .includeAll(true)
    .current(all)

export const containerVariable = () =>
  programColumn("container", "Container", "container_id", "Containers that opened connections. Empty: outside of any.")
export const userVariable = () =>
  programColumn("uid", "User id", "toString(uid)", "Users whose programs opened connections.")
export const exeVariable = () => programColumn("exe", "Program", "exe", "Programs that opened connections.")

const fixed = (name: string, label: string, description: string, values: readonly string[]) =>
  new dashboard.CustomVariableBuilder(name)
    .label(label)
    .description(description)
    .values(values.join(","))
    .options(values.map((value) => ({ text: value, value, selected: false })))
    .multi(true)
    .includeAll(true)
    .current(all)

export const severityVariable = () =>
  fixed("severity", "Severity", "Medium and above is what wakes a person.", severities.toReversed())
export const classVariable = () => fixed("class", "Class", "What a finding claims.", findingClasses)

/** A text box and not a list: an alert may name a finding that no list of recent ones has. */
export const findingVariable = () =>
  new dashboard.TextBoxVariableBuilder("finding")
    .label("Finding")
    .description("Id of one finding. Empty: all of the range.")
    .defaultValue("")
    .current({ text: "", value: "" })

/** Seconds from which a connection counts as long-lived. */
export const ageVariable = () =>
  new dashboard.CustomVariableBuilder("age")
    .label("Open for")
    .description("How long a connection has been open, at least.")
    .values("10 min : 600,1 h : 3600,6 h : 21600,1 d : 86400")
    .options([
      { text: "10 min", value: "600", selected: true },
      { text: "1 h", value: "3600", selected: false },
      { text: "6 h", value: "21600", selected: false },
      { text: "1 d", value: "86400", selected: false },
    ])
    .current({ text: "10 min", value: "600" })
