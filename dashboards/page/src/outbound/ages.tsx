import type { AgeBand } from "../../contract.js"
import { count } from "../text/amounts.js"

const drivers = [
  { key: "remote", label: "driven from outside" },
  { key: "unclear", label: "unclear" },
  { key: "local", label: "driven from here" },
] as const

/** How old the connections are, and who drives them: one bar for each age. */
export function Ages({ ages }: { readonly ages: readonly AgeBand[] }) {
  const maxCount = Math.max(1, ...ages.map((band) => band.remote + band.local + band.unclear))
  return (
    <figure class="ages">
      <table>
        <caption>Outbound connections by age</caption>
        <thead>
          <tr>
            <th scope="col">age</th>
            <td />
            {drivers.map(({ key, label }) => (
              <th scope="col" key={key} class={`driver ${key}`}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ages.map((band) => (
            <tr key={band.label}>
              <th scope="row">{band.label}</th>
              <td class="bar-cell">
                <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                  {stack(band, maxCount).map(({ key, x, width }) => (
                    <rect key={key} x={x} y="0" width={width} height="10" class={key} />
                  ))}
                </svg>
              </td>
              {drivers.map(({ key }) => (
                <td key={key} class="number">
                  {count(band[key])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  )
}

function stack(band: AgeBand, maxCount: number) {
  let x = 0
  return drivers.map(({ key }) => {
    const width = (100 * band[key]) / maxCount
    const part = { key, x, width }
    x += width
    return part
  })
}
