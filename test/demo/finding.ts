import { readFile } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"

/** The parts of proto/finding.schema.json that the demonstration looks at. */
export interface TunnelFinding {
  readonly id: string
  readonly class: string
  readonly severity: string
  readonly process: { readonly pid: number }
}

const alarming = ["medium", "high", "critical"]
const pollMs = 20

/** Resolves with the finding that names the process as a reverse tunnel, when it has arrived in the file of findings. */
export async function tunnelFinding(path: string, pid: number, signal: AbortSignal): Promise<TunnelFinding> {
  for (;;) {
    const found = parseFindings(await readFile(path, "utf8")).find(
      (finding) =>
        finding.class === "reverse_tunnel" && alarming.includes(finding.severity) && finding.process.pid === pid,
    )
    if (found !== undefined) return found
    await pause(pollMs, undefined, { signal })
  }
}

/** The last line may still be in the writing. */
function parseFindings(text: string): TunnelFinding[] {
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as TunnelFinding)
}
