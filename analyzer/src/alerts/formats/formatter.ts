import type { AlertFormat } from "../../config/load.js"
import type { Alert } from "../outbox/alert.js"
import { cloudEvent } from "./cloud-events.js"
import { ecs } from "./ecs.js"
import { ocsf } from "./ocsf.js"

export interface AlertMessage {
  /** Messages with one key stay in their order. */
  readonly key: string
  /** CloudEvents attributes without prefix. */
  readonly attributes: Readonly<Record<string, string>>
  /** JSON. */
  readonly body: string
}

export type Formatter = (alert: Alert) => AlertMessage

/** `source` is who speaks, `version` this release. */
export function formatter(format: AlertFormat, source: string, version: string): Formatter {
  const bodies: Readonly<Record<AlertFormat, (alert: Alert) => object>> = {
    finding: ({ finding, limited }) => (limited === undefined ? finding : { ...finding, limited }),
    ocsf: (alert) => ocsf(alert, version),
    ecs: (alert) => ecs(alert, version),
  }
  return (alert) => ({
    key: alert.finding.id,
    attributes: cloudEvent(alert, source, format),
    body: JSON.stringify(bodies[format](alert)),
  })
}
