import type { Severity } from "../../contract.js"

/** The gravest last, as the analyzer orders them. */
export const severities = ["info", "low", "medium", "high", "critical"] as const satisfies readonly Severity[]
