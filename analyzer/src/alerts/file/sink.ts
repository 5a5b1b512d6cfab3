import { openForAppend } from "../../config/trusted-paths.js"
import type { Alert } from "../outbox/alert.js"
import type { AlertSink } from "../publish/alert-sink.js"
import type { Formatter } from "../formats/formatter.js"

/**
 * Alerts as lines of JSON at the end of a file, on disk once `send` resolves. The file is opened for each send: whoever
 * renames it to rotate it need not signal this process.
 */
export class FileSink implements AlertSink {
  readonly name = "file"
  /** One write and one sync. */
  readonly maxAlerts = 200
  readonly #path: string
  readonly #format: Formatter

  constructor(path: string, format: Formatter) {
    this.#path = path
    this.#format = format
  }

  async send(alerts: readonly Alert[]): Promise<void> {
    const file = await openForAppend(this.#path)
    try {
      await file.appendFile(alerts.map((alert) => `${this.#format(alert).body}\n`).join(""))
      await file.datasync()
    } finally {
      await file.close()
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
