import type { CouplingCurve, Finding } from "../../contract.js"
import { bytes } from "../text/amounts.js"
import { endpoint } from "../text/endpoint.js"
import { printable } from "../text/printable.js"
import { latest } from "./curve.js"

const [boxWidth, boxHeight, width, height] = [210, 64, 900, 104]
const [left, middle, right] = [0, (width - boxWidth) / 2, width - boxWidth]

/** Outside, process, inside, and how much went each way: the whole claim in one picture. */
export function CouplingDiagram({ finding, curve }: { readonly finding: Finding; readonly curve: CouplingCurve }) {
  const { remote } = finding.connection ?? { remote: undefined }
  const sums = latest(curve)
  const outside = remote === undefined ? "outside" : endpoint(remote)
  const program = finding.process.exe.split("/").at(-1) ?? ""
  const inside = curve.channel
  const words = `${bytes(sums.forwardIn)} came in from ${outside}, ${bytes(sums.forwardOut)} went on to ${printable(inside)}, ${bytes(sums.backwardIn)} came back, ${bytes(sums.backwardOut)} left.`
  return (
    <svg class="diagram" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={words}>
      <defs>
        {["in", "out"].map((way) => (
          <marker
            key={way}
            id={`head-${way}`}
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="8"
            markerHeight="8"
            orient="auto"
          >
            <path d="M0 0 8 4 0 8Z" class={`head ${way}`} />
          </marker>
        ))}
      </defs>
      <Box x={left} kind="outside" title={outside} />
      <Box x={middle} kind={`process ${finding.process.pid}`} title={program} />
      <Box x={right} kind="inside" title={inside} />
      <Arrow from={left + boxWidth} to={middle} y={35} way="in" label={bytes(sums.forwardIn)} />
      <Arrow from={middle + boxWidth} to={right} y={35} way="in" label={bytes(sums.forwardOut)} />
      <Arrow from={right} to={middle + boxWidth} y={69} way="out" label={bytes(sums.backwardIn)} />
      <Arrow from={middle} to={left + boxWidth} y={69} way="out" label={bytes(sums.backwardOut)} />
    </svg>
  )
}

function Box({ x, kind, title }: { readonly x: number; readonly kind: string; readonly title: string }) {
  const visible = printable(title)
  return (
    <g>
      <rect x={x + 1} y={(height - boxHeight) / 2} width={boxWidth - 2} height={boxHeight} rx="6" class="box" />
      <text x={x + boxWidth / 2} y={height / 2 - 10} class="kind">
        {kind}
      </text>
      <text x={x + boxWidth / 2} y={height / 2 + 14} class="title">
        {visible.length > 26 ? `${visible.slice(0, 25)}…` : visible}
      </text>
    </g>
  )
}

interface ArrowProps {
  readonly from: number
  readonly to: number
  readonly y: number
  readonly way: "in" | "out"
  readonly label: string
}

function Arrow({ from, to, y, way, label }: ArrowProps) {
  const step = from < to ? 6 : -6
  return (
    <g>
      <line x1={from + step} x2={to - step} y1={y} y2={y} class={`arrow ${way}`} marker-end={`url(#head-${way})`} />
      <text x={(from + to) / 2} y={way === "in" ? y - 7 : y + 18} class={`amount ${way}`}>
        {label}
      </text>
    </g>
  )
}
