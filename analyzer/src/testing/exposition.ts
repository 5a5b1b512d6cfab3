/** The grammar of Prometheus' text format 0.0.4, to judge what /metrics gives. */

const name = "[a-zA-Z_:][a-zA-Z0-9_:]*"
const label = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"`
const number = String.raw`(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|NaN|[+-]Inf)`
const sampleLine = new RegExp(`^(${name})(?:\\{(${label}(?:,${label})*)?\\})? (${number})(?: -?\\d+)?$`)
const helpLine = new RegExp(String.raw`^# HELP (${name}) (?:[^\\]|\\[\\n])*$`)
const typeLine = new RegExp(`^# TYPE (${name}) (counter|gauge|histogram|summary|untyped)$`)

/** Lines that a strict reader would refuse: bad syntax, a sample without its type, a type or a sample given twice. */
export function brokenLines(text: string): string[] {
  const types = new Map<string, string>()
  const seen = new Set<string>()
  const broken = text.endsWith("\n") ? [] : ["(no line end at the end)"]
  for (const line of text.split("\n")) {
    if (line === "" || helpLine.test(line)) continue
    const [, typed = "", type = ""] = typeLine.exec(line) ?? []
    if (typed !== "") {
      if (types.has(typed)) broken.push(line)
      types.set(typed, type)
      continue
    }
    const [, sample = "", labels = ""] = sampleLine.exec(line) ?? []
    const identity = `${sample}{${labels}}`
    if (sample === "" || seen.has(identity) || !isTyped(sample, types)) broken.push(line)
    seen.add(identity)
  }
  return broken
}

function isTyped(sample: string, types: ReadonlyMap<string, string>): boolean {
  if (types.has(sample)) return !(types.get(sample) === "counter" && !sample.endsWith("_total"))
  const base = sample.replace(/_(?:bucket|sum|count)$/, "")
  return base !== sample && (types.get(base) === "histogram" || types.get(base) === "summary")
}
