/** Curves of growth.mjs as one SVG picture: both axes in steps of ten, so that what grows in proportion lies flat. Pure. */
const [width, height] = [760, 420]
const box = { left: 64, right: 744, top: 24, bottom: 300 }
const colours = ["#1f6feb", "#8250df", "#1a7f37", "#bf8700", "#cf222e", "#57606a"]

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
const label = (n) => (n >= 1_000 ? `${n / 1_000},000` : String(n))

export function drawing(curves) {
  const all = curves.flatMap(({ points }) => points)
  const [minX, maxX] = [Math.min(...all.map(({ size }) => size)), Math.max(...all.map(({ size }) => size))]
  const lowest = Math.floor(Math.log10(Math.min(...all.map(({ us }) => us))))
  const highest = Math.ceil(Math.log10(Math.max(...all.map(({ us }) => us))))
  const x = (size) => box.left + (Math.log10(size / minX) / Math.log10(maxX / minX)) * (box.right - box.left)
  const y = (us) => box.bottom - ((Math.log10(us) - lowest) / (highest - lowest)) * (box.bottom - box.top)
  const grid = []
  for (let power = lowest; power <= highest; power++) {
    const at = y(10 ** power).toFixed(1)
    grid.push(`<line x1="${box.left}" x2="${box.right}" y1="${at}" y2="${at}" stroke="#d0d7de"/>`)
    grid.push(`<text x="${box.left - 8}" y="${Number(at) + 4}" text-anchor="end">${10 ** power} µs</text>`)
  }
  for (const { size } of curves[0].points)
    grid.push(`<text x="${x(size).toFixed(1)}" y="${box.bottom + 18}" text-anchor="middle">${label(size)}</text>`)
  const lines = curves.map(({ points }, i) => {
    const path = points.map(({ size, us }) => `${x(size).toFixed(1)},${y(us).toFixed(1)}`).join(" ")
    return `<polyline points="${path}" fill="none" stroke="${colours[i % colours.length]}" stroke-width="2"/>`
  })
  const names = curves.map(({ name }, i) => {
    const [left, top] = [box.left + (i % 2) * 340, box.bottom + 52 + Math.floor(i / 2) * 20]
    return `<rect x="${left}" y="${top - 9}" width="14" height="4" fill="${colours[i % colours.length]}"/><text x="${left + 22}" y="${top}">${escaped(name)}</text>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#24292f">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${box.left}" y="14">CPU time of the analyzer per record, by how many there are already</text>`,
    ...[...grid, ...lines, ...names],
    "</svg>\n",
  ].join("\n")
}
