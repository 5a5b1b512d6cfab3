import type { Finding } from "../../contract.js"
import { Moment } from "../parts/moment.js"
import { Untrusted } from "../parts/untrusted.js"

/** Facts that let a person check the claim, each with its numbers. */
export function EvidenceList({ evidence }: { readonly evidence: Finding["evidence"] }) {
  return (
    <ol class="evidence">
      {evidence.map(({ kind, text, at, facts }, i) => (
        <li key={`${kind} ${i}`}>
          <p>
            <Untrusted text={text} limit={600} />
          </p>
          <details>
            <summary>
              <span class="quiet">
                {kind.replaceAll(/[-_]/g, " ")} · <Moment at={at} />
              </span>
            </summary>
            <table>
              <tbody>
                {Object.entries(facts).map(([name, value]) => (
                  <tr key={name}>
                    <th scope="row">{name.replaceAll("_", " ")}</th>
                    <td>
                      <Untrusted text={String(value)} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </li>
      ))}
    </ol>
  )
}
