/**
 * Program for tests that kill it: writes batches FIRST.. of one collector run, GROUP at a time, to the store in FOLDER, and
 * prints the number of the last one after each write.
 */
import { aRow, anOutput } from "./outputs.js"
import { StoreSink } from "../store/store-sink.js"
import { openStore } from "../store/store.js"
import { startUs } from "./time.js"
import { aHost } from "./hosts.js"

export const rowsPerBatch = 1_000

const [folder = "", first = "1", group = "1", last = "1"] = process.argv.slice(2)

if (process.argv.length > 2) {
  const store = await openStore({
    target: { kind: "embedded", folder },
    database: "backflow",
    limits: { memoryBytes: 1_000_000_000, querySeconds: 30 },
    retention: { connectionDays: 3_650, findingDays: 3, rollupDays: 400_650 },
  })
  const sink = new StoreSink(store, () => startUs)
  for (let seq = Number(first); seq <= Number(last); seq += Number(group)) {
    const size = Math.min(Number(group), Number(last) - seq + 1)
    await sink.write(Array.from({ length: size }, (_, i) => batch(seq + i)))
    process.stdout.write(`${seq + size - 1}\n`)
  }
  await store.close()
}

/** Every connection once. Four batches are of one day and four of another, as around midnight. */
function batch(seq: number) {
  const rows = Array.from({ length: rowsPerBatch }, (_, i) =>
    aRow({
      cookie: (seq * rowsPerBatch + i).toString(16).padStart(16, "0"),
      observedUs: startUs - (seq % 8 < 4 ? 86_400_000_000 : 0),
    }),
  )
  return anOutput(seq, { host: aHost(), connections: rows })
}
