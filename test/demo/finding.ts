import { readFile } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"

/** The parts of proto/finding.schema.json that the demonstration looks at. */
export interface FoundTunnel {
  readonly id: string
  readonly class: string
  readonly severity: string
  readonly process: { readonly pid: number }
}

const severitiesThatWake = ["medium", "high", "critical"]
const lookEveryMs = 20

/** Resolves with the finding that names the process as a reverse tunnel, when it has arrived in the file of findings. */
export async function tunnelFinding(path: string, pid: number, signal: AbortSignal): Promise<FoundTunnel> {
  for (;;) {
    const found = complete(await readFile(path, "utf8")).find(
      (finding) =>
        finding.class === "reverse_tunnel" &&
        severitiesThatWake.includes(finding.severity) &&
        finding.process.pid === pid,
    )
    if (found !== undefined) return found
    await pause(lookEveryMs, undefined, { signal })
  }
}

/** The last line may still be in the writing. */
function complete(text: string): FoundTunnel[] {
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as FoundTunnel)
}
