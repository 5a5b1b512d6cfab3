import { join } from "node:path"
import type { Config } from "../config/load.js"
import { fileOf, secretOf } from "../config/secrets.js"
import { AppError } from "../errors.js"
import { openStore } from "./store.js"
import type { StoreTarget } from "./client/connect.js"
import type { Store, StoreOptions } from "./store.js"

/** The store that the configuration names. The caller holds the state folder when it is the embedded one. */
export function openConfiguredStore(config: Config): Promise<Store> {
  return openStore(storeOptions(config))
}

/** Where the store is. Throws AppError "config" for a file that cannot be used, and for a cluster without a server. */
function storeTarget({ state, store }: Pick<Config, "state" | "store">): StoreTarget {
  if (store.url === undefined) {
    if (store.cluster !== undefined) {
      throw new AppError(
        "config",
        `store.cluster is "${store.cluster}", and no server of that cluster is named.`,
        "Give store.url (--store https://host:8443), or leave store.cluster out for the embedded store.",
      )
    }
    return { kind: "embedded", folder: join(state, "store") }
  }
  return {
    kind: "server",
    url: store.url,
    username: store.username,
    password: store.passwordFile === undefined ? "" : secretOf("store.password_file", store.passwordFile),
    ca: store.caFile === undefined ? undefined : fileOf("store.ca_file", store.caFile),
    cluster: store.cluster,
  }
}

export function storeOptions(config: Config): StoreOptions {
  const { store } = config
  return {
    target: storeTarget(config),
    database: store.database,
    limits: { memoryBytes: store.memoryBytes, querySeconds: store.querySeconds },
    retention: {
      connectionDays: store.retentionDays,
      findingDays: store.findingRetentionDays,
      rollupDays: store.rollupRetentionDays,
    },
  }
}
