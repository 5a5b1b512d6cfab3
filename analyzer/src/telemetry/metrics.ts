import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client"
import type { Microseconds } from "../domain/identity.js"
import { metricDeclarations, storedSeconds } from "./metric-declarations.js"
import type { MetricDeclaration, MetricSource } from "./metric-declarations.js"

/** One value of one metric at a moment: a row of the store's table `metrics`. */
export interface MetricSample {
  readonly atMs: number
  /** Which analyzer. */
  readonly source: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface MetricsOptions {
  /** Name of this analyzer among others. */
  readonly instance: string
  readonly values: MetricSource
  /** Wall clock, microseconds since the epoch. */
  readonly nowUs: () => Microseconds
}

/** Every metric of this process. Values are read at each scrape. */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  readonly #options: MetricsOptions
  readonly #registry = new Registry()
  readonly #stored: Histogram

  constructor(options: MetricsOptions) {
    this.#options = options
    for (const declaration of metricDeclarations) register(declaration, options.values, this.#registry)
    const { name, help, buckets } = storedSeconds
    this.#stored = new Histogram({ name, help, buckets: [...buckets], registers: [this.#registry] })
    collectDefaultMetrics({ register: this.#registry })
  }

  /** A batch became durable; clocks of hosts that run ahead count as 0. */
  stored(eventUs: Microseconds): void {
    this.#stored.observe(Math.max(0, this.#options.nowUs() - eventUs) / 1e6)
  }

  /** Prometheus text format 0.0.4. */
  async text(): Promise<string> {
    // prom-client 15 writes "Nan" where there is no value yet, such as a mean of nothing; the format has "NaN".
    return (await this.#registry.metrics()).replace(/ Nan$/gm, " NaN")
  }

  /** Hosts that lost nothing are left out: most of a fleet does not. */
  async samples(): Promise<readonly MetricSample[]> {
    const { nowUs, instance } = this.#options
    const atMs = Math.floor(nowUs() / 1_000)
    const metrics = await this.#registry.getMetricsAsJSON()
    return metrics.flatMap(({ name, values }) =>
      values
        .filter(({ labels, value }) => Number.isFinite(value) && !(value === 0 && "host" in labels))
        .map((one) => ({
          atMs,
          source: instance,
          name: "metricName" in one && typeof one.metricName === "string" ? one.metricName : name,
          labels: Object.fromEntries(Object.entries(one.labels).map(([label, text]) => [label, String(text)])),
          value: one.value,
        })),
    )
  }
}

function register(
  { name, help, type, labels, read }: MetricDeclaration,
  values: MetricSource,
  registry: Registry,
): void {
  const configuration = { name, help, labelNames: [...labels], registers: [registry] }
  if (type === "counter") {
    new Counter({
      ...configuration,
      // The totals are counted elsewhere: each look takes them over.
      collect() {
        this.reset()
        for (const [own, value] of read(values)) this.inc({ ...own }, value)
      },
    })
    return
  }
  new Gauge({
    ...configuration,
    collect() {
      this.reset()
      for (const [own, value] of read(values)) this.set({ ...own }, value)
    },
  })
}
