import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client"
import type { Microseconds } from "../domain/identity.js"
import { metricDeclarations, storedSeconds } from "./metric-declarations.js"
import type { MetricDeclaration, MetricSource, MetricValues } from "./metric-declaration.js"

/** One value of one metric at a moment: a row of the store's table `metrics`. */
export interface MetricSample {
  readonly atMs: number
  /** Which analyzer. */
  readonly source: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** How long it took from what was observed to its durable record: the analyzer notes it, /metrics shows it. */
export class StoredLatency {
  readonly #histogram: Histogram
  readonly #nowUs: () => Microseconds

  /** `nowUs` is the wall clock, microseconds since the epoch. */
  constructor(nowUs: () => Microseconds) {
    const { name, help, buckets } = storedSeconds
    this.#histogram = new Histogram({ name, help, buckets: [...buckets], registers: [] })
    this.#nowUs = nowUs
  }

  /** A batch of this event time became durable; clocks of hosts that run ahead count as 0. */
  observe(eventUs: Microseconds): void {
    this.#histogram.observe(Math.max(0, this.#nowUs() - eventUs) / 1e6)
  }

  registerIn(registry: Registry): void {
    registry.registerMetric(this.#histogram)
  }
}

export interface MetricsOptions {
  /** Name of this analyzer among others. */
  readonly instance: string
  readonly values: MetricValues
  readonly storedLatency: StoredLatency
  /** Wall clock, microseconds since the epoch. */
  readonly nowUs: () => Microseconds
}

/** Every metric of this process. Values are read at each scrape. */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  readonly #options: MetricsOptions
  readonly #registry = new Registry()
  #skippedSamples = 0

  constructor(options: MetricsOptions) {
    this.#options = options
    const source: MetricSource = { ...options.values, skippedSamples: () => this.#skippedSamples }
    for (const declaration of metricDeclarations) register(declaration, source, this.#registry)
    options.storedLatency.registerIn(this.#registry)
    collectDefaultMetrics({ register: this.#registry })
  }

  /** One writing of the samples to the store was left out. */
  countSkippedSamples(): void {
    this.#skippedSamples += 1
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
