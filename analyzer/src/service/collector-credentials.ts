import { readFileSync } from "node:fs"
import type { Config } from "../config/load.js"
import { AppError, messageOf } from "../errors.js"
import type { TlsFiles } from "../ingest/server/listener.js"

/** What collectors are let in by: files of the configuration, read. Throws AppError "config" that names the setting. */
export function credentials({ listen }: Config): { readonly tls?: TlsFiles; readonly token?: string } {
  const { tls, tokenFile } = listen
  return {
    ...(tls && {
      tls: {
        certificate: fileOf("listen.tls.cert_file", tls.certFile),
        key: fileOf("listen.tls.key_file", tls.keyFile),
        ...(tls.clientCaFile !== undefined && {
          clientAuthority: fileOf("listen.tls.client_ca_file", tls.clientCaFile),
        }),
      },
    }),
    ...(tokenFile !== undefined && { token: fileOf("listen.token_file", tokenFile).toString("utf8").trim() }),
  }
}

function fileOf(setting: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (thrown) {
    throw new AppError(
      "config",
      `${setting} cannot be read: ${messageOf(thrown)}.`,
      "Name a file that this user may read.",
      { cause: thrown },
    )
  }
}
