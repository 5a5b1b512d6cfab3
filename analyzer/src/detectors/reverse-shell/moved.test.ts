import { expect, it } from "vitest"
import { anUpdate } from "../../testing/connections.js"
import { anAttachment } from "../../testing/couplings.js"
import { keyOf } from "../../testing/processes.js"
import { aBatch } from "../../testing/batches.js"
import { aView, apply } from "../../testing/trackers.js"
import { Moved } from "./moved.js"
import { reverseShellThresholds as limits } from "./thresholds.js"

const cookies = Array.from({ length: limits.comparedPerRecord * 2 + 10 }, (_, i) => String(i).padStart(16, "0"))
const connections = cookies.map((cookie) => anUpdate({ cookie, process: keyOf(1) }))

it("compares a shell with every connection of a holder that has very many, some with each record", () => {
  const view = aView(connections)
  const moved = new Moved()
  const shell = anAttachment()
  const seen = [1, 2, 3].map(() => {
    moved.addAttachment(shell, undefined)
    return moved.take(view).map(({ outside }) => outside.cookie)
  })
  expect(seen.map(({ length }) => length)).toEqual([limits.comparedPerRecord, limits.comparedPerRecord, 10])
  expect(new Set(seen.flat())).toEqual(new Set(cookies))
})

it("compares a connection with the shells that its owner holds, and each pair once", () => {
  const view = aView(connections.slice(0, 2))
  const shells = [2, 3].map((pid) => anAttachment({ child: keyOf(pid) }))
  apply(view, aBatch(2, { attachments: shells }))
  const moved = new Moved()
  moved.addConnection(cookies[0] ?? "")
  moved.addAttachment(shells[0] ?? anAttachment(), undefined)
  expect(moved.take(view).map(({ attachment, outside }) => `${attachment.child} ${outside.cookie}`)).toEqual([
    `${keyOf(3)} ${cookies[0]}`,
    `${keyOf(2)} ${cookies[0]}`,
    `${keyOf(2)} ${cookies[1]}`,
  ])
  expect(moved.take(view)).toEqual([])
})
