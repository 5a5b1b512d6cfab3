import type { Config } from "../config/load.js"
import { fileOf, secretOf } from "../config/secrets.js"
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
    ...(tokenFile !== undefined && { token: secretOf("listen.token_file", tokenFile) }),
  }
}
