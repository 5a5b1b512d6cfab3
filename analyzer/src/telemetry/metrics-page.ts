import { metricDeclarations, storedSeconds } from "./metric-declarations.js"

/** METRICS.md: every metric of /metrics, from the declarations. */
export function metricsPage(): string {
  const rows = [...metricDeclarations, storedSeconds]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      ({ name, type, labels, unit, source, help }) =>
        `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${unit} | ${source} | ${help} |`,
    )
  return `# Metrics

What the analyzer serves under \`/metrics\` (Prometheus text format, with the page's token as bearer token) and writes to the
store's table \`metrics\` every 15 s. This page is generated from \`src/telemetry/metric-declarations.ts\` by
\`npm run generate:metrics -w analyzer\`; a test compares them.

<!-- prettier-ignore-start -->

| name | type | labels | unit | counted by | what |
| --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

<!-- prettier-ignore-end -->

\`${storedSeconds.name}\` has the buckets ${storedSeconds.buckets.join(", ")} s.

Besides these there are the \`process_*\` and \`nodejs_*\` metrics of the Node client library: CPU, memory, file descriptors,
event loop delay, garbage collection.
`
}
