// Makes a picture (SVG, standard output) of the lines that a terminal showed (standard input, without colours).
import { text } from "node:stream/consumers"

const fontPx = 13
const linePx = 18
/** Advance of a monospace glyph: 0.6 of the font size. */
const glyphPx = fontPx * 0.6
const marginPx = 14
/** Width of the terminal; longer lines go on in the next row, as they do there. */
const columns = 132
const background = "#0d1117"
const ink = "#e6edf3"
const quiet = "#8b949e"
const severities: Readonly<Record<string, string>> = {
  LOW: "#56d4dd",
  MEDIUM: "#e3b341",
  HIGH: "#ff7b72",
  CRITICAL: "#ff7b72",
}

function colourize(line: string): string {
  const plain = line.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
  if (line.startsWith("demo:")) return `<tspan fill="${quiet}">${plain}</tspan>`
  return plain.replace(
    /\b(LOW|MEDIUM|HIGH|CRITICAL)\b/,
    (word) => `<tspan fill="${severities[word] ?? ink}">${word}</tspan>`,
  )
}

function picture(lines: readonly string[]): string {
  const width = Math.ceil(columns * glyphPx + 2 * marginPx)
  const height = lines.length * linePx + 2 * marginPx
  const texts = lines.map((line, i) => {
    const y = marginPx + (i + 1) * linePx - 5
    return `<text x="${marginPx}" y="${y}" xml:space="preserve">${colourize(line)}</text>`
  })
  const font = `font-family="ui-monospace, Menlo, Consolas, monospace" font-size="${fontPx}" fill="${ink}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ${font}>`,
    `<rect width="100%" height="100%" rx="8" fill="${background}"/>`,
    ...texts,
    "</svg>\n",
  ].join("\n")
}

const rowPattern = new RegExp(`.{1,${columns}}`, "g")
const rows = (await text(process.stdin)).split("\n").flatMap((line) => line.match(rowPattern) ?? [])
process.stdout.write(picture(rows))
