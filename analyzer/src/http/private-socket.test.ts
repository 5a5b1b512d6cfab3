import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { requestPrivate } from "./private-socket.js"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backflow-private-"))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

it("rejects an answer that is cut short of its JSON", async () => {
  const path = join(folder, "cut.sock")
  const server = createServer((_, response) => response.end('{"rows": ['))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  await expect(requestPrivate(path, "GET", "/")).rejects.toThrow("no JSON")
  await new Promise((resolve) => server.close(resolve))
})
