import { stringify } from "yaml"
import type { FindingJson } from "../../documents/finding-json.js"
import { endpointText } from "../../text/endpoint.js"

/** One rule as the configuration file has it. */
interface Rule {
  readonly destination: string
  readonly identity: { readonly exe?: string; readonly uid: number; readonly container?: string }
  readonly classes: readonly string[]
  readonly reason: string
}

/**
 * YAML for `policy.approved` and `policy.denied` of the configuration file that hold for this finding. Undefined for one
 * without a connection: a rule needs a destination. Names come from whoever is watched, hence quoted by the YAML writer.
 */
export function policyRules(finding: FindingJson): { readonly approve: string; readonly deny: string } | undefined {
  const { connection, process } = finding
  if (connection === null) return undefined
  const { address, port } = connection.remote
  const exe = process.exe.replace(/ \(deleted\)$/, "")
  const rule = (reason: string): Rule => ({
    destination: port === 0 ? address : endpointText(connection.remote),
    identity: {
      ...(isLiteral(exe) && { exe }),
      uid: process.uid,
      ...(process.container_id !== "" && { container: process.container_id }),
    },
    classes: [finding.class],
    reason,
  })
  const yamlOf = (list: "approved" | "denied", reason: string) =>
    stringify(
      { policy: { [list]: [rule(reason)] } },
      { lineWidth: 0, defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" },
    )
  return {
    approve: yamlOf("approved", "state who approved this, and why"),
    deny: yamlOf("denied", "state why this is denied"),
  }
}

/** A name with wildcards in it would make a rule wider than this finding; such a program is matched by the rest alone. */
function isLiteral(exe: string): boolean {
  return exe !== "" && !/[*?]/.test(exe)
}
