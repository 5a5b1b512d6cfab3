import type { AlertFormat } from "../../config/load.js"
import { alertId } from "../outbox/alert.js"
import type { Alert } from "../outbox/alert.js"
import { ocsfVersion } from "./ocsf.js"

const schemas: Readonly<Partial<Record<AlertFormat, string>>> = {
  finding: "urn:backflow:finding:v1",
  ocsf: `https://schema.ocsf.io/${ocsfVersion}/classes/detection_finding`,
}

/**
 * The attributes of CloudEvents 1.0, by name without prefix. Consumers tell repeats by (source, id). Kafka's binary mode
 * writes them as `ce_id`, HTTP's as `ce-id`.
 */
export function cloudEvent(alert: Alert, source: string, format: AlertFormat): Readonly<Record<string, string>> {
  const { finding, kind } = alert
  const schema = schemas[format]
  return {
    specversion: "1.0",
    id: alertId(alert),
    type: `backflow.finding.${kind}.v1`,
    source,
    time: finding.detected_at,
    ...((finding.host.name || finding.host.id) && { subject: finding.host.name || finding.host.id }),
    partitionkey: finding.id,
    ...(schema !== undefined && { dataschema: schema }),
  }
}
