const kilo = 1_000
const units = ["B", "kB", "MB", "GB", "TB", "PB"] as const

/** "59 B", "1.6 kB", "20 MB": two digits that say something, units of 1000. */
export function bytes(count: number): string {
  let [value, i] = [count, 0]
  while (value >= 999.5 && i < units.length - 1) {
    value /= kilo
    i += 1
  }
  const digits = i === 0 || value >= 9.95 ? 0 : 1
  return `${value.toFixed(digits)} ${units[i] ?? ""}`
}

/** Whole numbers with thin spaces between thousands. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f")
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

const spans = [
  { seconds: 86_400, name: "d" },
  { seconds: 3_600, name: "h" },
  { seconds: 60, name: "min" },
  { seconds: 1, name: "s" },
] as const

/** "3 d 4 h", "12 min 5 s", "8 s": the two largest units. Below a second "0 s". */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const first = spans.findIndex((unit) => whole >= unit.seconds)
  const [large, small] = [spans[first], spans[first + 1]]
  if (large === undefined) return "0 s"
  const rest = small === undefined ? 0 : Math.floor((whole % large.seconds) / small.seconds)
  const head = `${Math.floor(whole / large.seconds)} ${large.name}`
  return small === undefined || rest === 0 ? head : `${head} ${rest} ${small.name}`
}

/** Seconds from one RFC 3339 moment to another. */
export function secondsBetween(from: string, to: string | number): number {
  return ((typeof to === "number" ? to : Date.parse(to)) - Date.parse(from)) / 1_000
}

/** "14:03:07", in the reader's zone; with the day where it is not the day of `now`. */
export function clock(moment: string | number, now: number): string {
  const date = new Date(moment)
  const two = (value: number) => String(value).padStart(2, "0")
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return new Date(now).toDateString() === date.toDateString() ? time : `${day} ${time}`
}
