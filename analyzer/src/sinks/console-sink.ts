import type { Writable } from "node:stream"
import type { Finding } from "../domain/finding.js"
import type { Severity } from "../domain/severity.js"
import type { Output } from "../domain/output.js"
import { findingJson } from "../documents/finding-json.js"
import { findingText } from "../documents/finding-text.js"
import type { Sink } from "./sink.js"

/** Findings whose last version shown is remembered; beyond that each is shown in full again. */
const rememberedFindings = 10_000

interface Shown {
  readonly version: number
  readonly severity: Severity
  readonly status: Finding["status"]
  /** Event time of the version shown last. */
  readonly atUs: number
}

/** Under this age, a version that changes neither severity nor status is not shown: one minute. */
const quietUs = 60_000_000

/** Findings as text. The first version in full, later ones in short and only when they have news. */
export class ConsoleSink implements Sink {
  readonly name = "console"
  readonly #stream: Writable
  readonly #colour: boolean
  readonly #shown = new Map<string, Shown>()

  constructor(stream: Writable, colour: boolean) {
    this.#stream = stream
    this.#colour = colour
  }

  write(outputs: readonly Output[]): Promise<void> {
    const text = outputs
      .flatMap(({ findings }) => findings)
      .map((finding) => this.#textOf(finding))
      .join("")
    if (text === "") return Promise.resolve()
    return new Promise((resolve) => {
      // Once its reader has left, a failed write is no reason for a retry.
      this.#stream.write(text, () => resolve())
    })
  }

  #textOf(finding: Finding): string {
    const before = this.#shown.get(finding.id)
    if (before !== undefined && !hasNews(before, finding)) return ""
    if (this.#shown.size >= rememberedFindings) this.#shown.clear()
    const { id, version, severity, status, detectedAtUs } = finding
    this.#shown.set(id, { version, severity, status, atUs: detectedAtUs })
    const raised = before === undefined || before.severity !== severity
    // A proof is what was asked for: that it came is all that a person may want to see.
    const isNews = raised && status !== "proof"
    return findingText(findingJson(finding), isNews ? "full" : "short", this.#colour)
  }
}

function hasNews(before: Shown, finding: Finding): boolean {
  if (finding.version <= before.version) return false
  const isNews =
    finding.severity !== before.severity || (finding.status !== before.status && finding.status !== "updated")
  return isNews || finding.detectedAtUs - before.atUs >= quietUs
}
