import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Config } from "../config/load.js"
import { AppError, messageOf } from "../errors.js"
import { openStore } from "./store.js"
import type { Store } from "./store.js"

/** The store that the configuration names. The caller holds the state folder when it is the embedded one. */
export function openConfiguredStore({ state, store }: Config): Promise<Store> {
  return openStore({
    target:
      store.url === undefined
        ? { kind: "embedded", folder: join(state, "store") }
        : { kind: "server", url: store.url, username: store.username, password: passwordOf(store.passwordFile) },
    database: store.database,
    limits: { memoryBytes: store.memoryBytes, querySeconds: store.querySeconds },
    retention: {
      connectionDays: store.retentionDays,
      findingDays: store.findingRetentionDays,
      rollupDays: store.rollupRetentionDays,
    },
  })
}

function passwordOf(file: string | undefined): string {
  if (file === undefined) return ""
  try {
    return readFileSync(file, "utf8").trimEnd()
  } catch (thrown) {
    throw new AppError("config", `store.password_file cannot be read: ${messageOf(thrown)}.`, "Name a readable file.", {
      cause: thrown,
    })
  }
}
