import { useState } from "preact/hooks"
import type { Outbound } from "../../contract.js"
import { useLive, useResource } from "../live/hooks.js"
import { Failure, Loading, Notice } from "../parts/notice.js"
import { count } from "../text/amounts.js"
import { Ages } from "./ages.js"
import { Connections } from "./connections.js"

const sorts = { age: "oldest first", bytes: "most bytes first", recent: "last moved first" } as const
const drivers = { all: "anybody", remote: "the outside", local: "this side", unclear: "unclear" } as const
const firstLimit = 100
const maxLimit = 1_000
/** With a filter the list is loaded again this often, in seconds; without one it comes by itself. */
const refreshSeconds = 4

/** Live connections to the outside: how old, and who drives them. */
export function OutboundView({ nowMs }: { readonly nowMs: number }) {
  const live = useLive()
  const [sort, setSort] = useState<keyof typeof sorts>("age")
  const [driver, setDriver] = useState<keyof typeof drivers>("all")
  const [search, setSearch] = useState("")
  const [limit, setLimit] = useState(firstLimit)
  const query = new URLSearchParams({ sort, driver, search, limit: String(limit) })
  const tick = Math.floor(nowMs / 1_000 / refreshSeconds)
  const { body, error, isCurrent } = useResource<Outbound>(`outbound?${query.toString()}`, `${live.sinceMs} ${tick}`)
  const shown = body ?? live.outbound
  if (shown === undefined) return error ? <Failure error={error} what="list" /> : <Loading what="connections" />
  return (
    <>
      <div class="bar">
        <h1>Outbound connections</h1>
        <span class="quiet" aria-busy={!isCurrent}>
          {count(shown.matching)} of {count(shown.total)} to the outside
        </span>
      </div>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <Select label="Driven by" options={drivers} value={driver} onChange={setDriver} />
        <Select label="Order" options={sorts} value={sort} onChange={setSort} />
        <label>
          Search{" "}
          <input
            type="search"
            maxLength={200}
            placeholder="host, program, address"
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
      </form>
      <Ages ages={shown.ages} />
      {shown.connections.length === 0 ? (
        <Notice title={shown.total === 0 ? "No connection to the outside is open" : "None of them matches"} />
      ) : (
        <Connections connections={shown.connections} nowMs={nowMs} />
      )}
      {shown.matching > shown.connections.length && limit < maxLimit && (
        <button type="button" onClick={() => setLimit(maxLimit)}>
          Show more of {count(shown.matching)}
        </button>
      )}
    </>
  )
}

interface SelectProps<Value extends string> {
  readonly label: string
  /** What is shown for each value. */
  readonly options: Readonly<Record<Value, string>>
  readonly value: Value
  readonly onChange: (value: Value) => void
}

function Select<Value extends string>({ label, options, value, onChange }: SelectProps<Value>) {
  return (
    <label>
      {label}{" "}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value as Value)}>
        {Object.entries<string>(options).map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
