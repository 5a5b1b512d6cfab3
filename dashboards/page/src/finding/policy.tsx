import type { FindingDetail } from "../../contract.js"
import { CopyButton } from "../parts/copy-button.js"
import { printable } from "../text/printable.js"

/** The lines of configuration that answer this finding, for good. */
export function PolicyLines({ policy }: { readonly policy: FindingDetail["policy"] }) {
  if (policy === null) return <p class="quiet">No rule can be written before there is a connection.</p>
  return (
    <>
      <p>
        Put one of these into the configuration file, change what is too wide or too narrow, try it with{" "}
        <code>backflow check-config</code>, and restart the analyzer.
      </p>
      <Rule title="Expect it: recorded, not alerted" lines={policy.approve} label="Copy the approval" />
      <Rule title="Deny it: high at least, whenever it is seen" lines={policy.deny} label="Copy the denial" />
    </>
  )
}

function Rule({ title, lines, label }: { readonly title: string; readonly lines: string; readonly label: string }) {
  // All text in them stands in double quotes, where YAML reads these escapes as the characters that they show.
  const visible = lines.split("\n").map(printable).join("\n")
  return (
    <section class="rule">
      <h3>{title}</h3>
      <pre>{visible}</pre>
      <CopyButton text={visible} label={label} />
    </section>
  )
}
