import type { AnalyzerStatus, AlertStatus } from "../../telemetry/status.js"

/** The store is stuck when it writes nothing for this many milliseconds while something waits for it. */
const storeMs = 30_000

export interface Check {
  readonly name: "running" | "collectors" | "store" | "outbox"
  readonly ok: boolean
  /** Why not, without names or numbers: anybody who reaches the port gets it. */
  readonly reason: string
}

export interface Readiness {
  readonly ready: boolean
  readonly checks: readonly Check[]
}

export interface HealthPorts {
  readonly analyzer: () => AnalyzerStatus
  readonly alerts: () => readonly AlertStatus[]
  /** Collectors can connect. */
  readonly isListening: () => boolean
  readonly monotonicMs: () => number
}

/** Whether this analyzer should get collectors. An unreachable broker is no reason against it: the outbox is there for that. */
export class Health {
  readonly #ports: HealthPorts
  #isStopping = false
  /** How much the store had written, and since when no more. */
  #written = -1
  #sinceMs = 0

  constructor(ports: HealthPorts) {
    this.#ports = ports
  }

  stop(): void {
    this.#isStopping = true
  }

  /** Looks at how far the store is; to be called at least every few seconds. */
  look(): void {
    const { written, waiting } = this.#store()
    if (written === this.#written && waiting > 0) return
    this.#written = written
    this.#sinceMs = this.#ports.monotonicMs()
  }

  get readiness(): Readiness {
    this.look()
    const isStuck = this.#store().waiting > 0 && this.#ports.monotonicMs() - this.#sinceMs > storeMs
    const isFull = this.#ports.alerts().some(({ bytes, limitBytes }) => bytes >= limitBytes)
    const checks: readonly Check[] = [
      check("running", !this.#isStopping, "the analyzer is stopping"),
      check("collectors", this.#ports.isListening(), "collectors cannot connect yet"),
      check("store", !isStuck, "the store does not write"),
      check("outbox", !isFull, "the outbox for alerts is full"),
    ]
    return { ready: checks.every(({ ok }) => ok), checks }
  }

  #store(): { readonly written: number; readonly waiting: number } {
    return this.#ports.analyzer().deliveries.find(({ sink }) => sink === "store")?.counts ?? { written: 0, waiting: 0 }
  }
}

function check(name: Check["name"], ok: boolean, reason: string): Check {
  return { name, ok, reason: ok ? "" : reason }
}
