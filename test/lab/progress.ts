import type { Outcome } from "./outcome.js"
import { afterUseMs } from "./score.js"

const barWidth = 24

/** One bar that moves at a terminal, one line a case elsewhere; lines that matter in both. */
export class Progress {
  readonly #total: number
  readonly #output: NodeJS.WriteStream
  readonly #beganMs = Date.now()
  #done = 0

  constructor(total: number, output: NodeJS.WriteStream = process.stdout) {
    this.#total = total
    this.#output = output
  }

  begin(name: string): void {
    if (this.#output.isTTY) this.#draw(name)
  }

  end(outcome: Outcome): void {
    this.#done += 1
    const text = `${String(this.#done).padStart(String(this.#total).length)}/${this.#total} ${outcome.family}/${outcome.name}: ${outcomeText(outcome)}`
    if (!this.#output.isTTY) this.#output.write(`${text}\n`)
    else if (!isAsWanted(outcome)) this.#output.write(`\r\x1b[K${text}\n`)
  }

  finish(): void {
    if (this.#output.isTTY) this.#output.write("\r\x1b[K")
  }

  #draw(name: string): void {
    const filled = Math.round((barWidth * this.#done) / this.#total)
    const seconds = (Date.now() - this.#beganMs) / 1000
    const left = this.#done === 0 ? "" : `, ${Math.round((seconds / this.#done) * (this.#total - this.#done))} s left`
    const bar = `${"█".repeat(filled)}${"░".repeat(barWidth - filled)}`
    this.#output.write(`\r\x1b[K${bar} ${this.#done}/${this.#total}${left}  ${name}`)
  }
}

const isAsWanted = ({ kind, alert, right, isProcessRight, skipped, failed }: Outcome): boolean =>
  skipped === undefined &&
  failed === undefined &&
  (kind === "benign" ? alert === undefined : right !== undefined && isProcessRight === true)

function outcomeText(outcome: Outcome): string {
  const { kind, alert, right, isProcessRight, skipped, failed } = outcome
  if (skipped !== undefined) return `skipped, ${skipped}`
  if (failed !== undefined) return `failed by itself: ${failed}`
  if (kind === "benign")
    return alert === undefined ? "quiet" : `FALSE ALARM ${alert.class} ${alert.severity}: ${alert.summary}`
  if (alert === undefined) return "NOT FOUND"
  const shown = right ?? alert
  const notes = [
    ...(right === undefined ? ["wrong class"] : []),
    ...(right !== undefined && isProcessRight !== true ? [`wrong process ${shown.exe}`] : []),
    ...(outcome.isExact === false ? ["bytes differ"] : []),
  ]
  const after = afterUseMs(outcome)
  return [
    `${shown.class} ${shown.severity}`,
    ...(after === undefined ? [] : [`${after.toFixed(0)} ms`]),
    ...notes,
  ].join(", ")
}
