const bytes = ["B", "kB", "MB", "GB", "TB"]
const counts = ["", " K", " Mil", " Bil"]

function scaled(value: number, names: readonly string[]): string {
  const step = Math.min(names.length - 1, Math.max(0, Math.floor(Math.log10(Math.abs(value) || 1) / 3)))
  return `${trimmed(value / 1_000 ** step)}${names === bytes ? " " : ""}${names[step] ?? ""}`
}

const trimmed = (value: number) => String(Number(value.toPrecision(3)))

function duration(seconds: number): string {
  if (seconds < 1) return `${trimmed(seconds * 1_000)} ms`
  if (seconds < 60) return `${trimmed(seconds)} s`
  if (seconds < 3_600) return `${trimmed(seconds / 60)} min`
  if (seconds < 86_400) return `${trimmed(seconds / 3_600)} h`
  return `${trimmed(seconds / 86_400)} d`
}

/** A number in one of the units of Grafana that the dashboards use. */
export function formatUnit(value: number, unit: string): string {
  switch (unit) {
    case "bytes":
      return scaled(value, bytes)
    case "Bps":
      return `${scaled(value, bytes)}/s`
    case "s":
      return duration(value)
    case "cps":
    case "rowsps":
      return `${trimmed(value)}/s`
    case "none":
      return String(value)
    default:
      return scaled(value, counts)
  }
}
