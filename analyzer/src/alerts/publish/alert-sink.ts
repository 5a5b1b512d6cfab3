import type { Alert } from "../outbox/alert.js"

/** A destination outside: a broker, a web server, a file. */
export interface AlertSink {
  readonly name: string
  /** Most alerts of one send: something graver that comes meanwhile waits until all of them have arrived. */
  readonly maxAlerts: number
  /**
   * Resolves once the destination keeps all of them. Alerts of one finding arrive in their order. After a rejection the
   * same alerts, and perhaps later ones behind them, are sent again. Rejects with AlertsRefused when a retry is no use.
   */
  send(alerts: readonly Alert[]): Promise<void>
  close(): Promise<void>
}

export interface Refusal {
  readonly alert: Alert
  readonly reason: string
}

/** The destination responded, and will not take some of the alerts however often they come. */
export class AlertsRefused extends Error {
  override readonly name = "AlertsRefused"
  /** Those refused, when all others were kept; undefined when it is not known which, and nothing counts as kept. */
  readonly refusals: readonly Refusal[] | undefined

  constructor(message: string, refusals?: readonly Refusal[]) {
    super(message)
    this.refusals = refusals
  }
}

/** A failure as a text for people, with what to do where that is known. */
export class AlertSinkError extends Error {
  override readonly name = "AlertSinkError"
}
