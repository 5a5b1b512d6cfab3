import { readdir, unlink } from "node:fs/promises"
import { join } from "node:path"
import { syncFolder } from "./durable-file.js"
import { Outbox } from "./outbox.js"
import type { OutboxOptions } from "./outbox.js"

const oldFiles = /^(\d{16}\.log|cursor\.json)$/

/** Whether an earlier release, which had one lane, left an outbox in the folder itself. */
export async function hasOldLayout(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => [])
  return names.some((name) => name.endsWith(".log") && oldFiles.test(name))
}

/** Calls with each record from `seq` on, and whether it waits: one batch after the other, so that `use` may write them elsewhere. */
export async function readOldLayout(
  options: OutboxOptions,
  seq: number,
  use: (payloads: readonly Buffer[], waits: boolean) => Promise<void>,
): Promise<void> {
  const outbox = await Outbox.open(options)
  const sent: Buffer[] = []
  await outbox.readFrom(seq, (payload, at) => {
    if (at < outbox.readSeq) sent.push(payload)
  })
  await use(sent, false)
  for (let found = await outbox.peek(500, 1024 * 1024); found.length > 0; found = await outbox.peek(500, 1024 * 1024)) {
    await use(
      found.map(({ payload }) => payload),
      true,
    )
    const last = found.at(-1)
    if (last !== undefined) await outbox.acknowledge(last)
  }
  await outbox.close()
}

/** Once all of it is durable elsewhere. */
export async function removeOldLayout(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (oldFiles.test(name)) await unlink(join(folder, name))
  await syncFolder(folder)
}
