import { needsSecret } from "../config/listen-schema.js"
import type { Config } from "../config/load.js"
import { fileOf, secretOf } from "../config/secrets.js"
import { AppError } from "../errors.js"
import type { TlsFiles } from "../ingest/server/listener.js"

/**
 * What collectors are let in by at this address: files of the configuration, read. Throws AppError "config" that names the
 * setting, also where a TCP address would let in everybody who reaches it.
 */
export function credentials(address: string, { listen }: Config): { readonly tls?: TlsFiles; readonly token?: string } {
  const { tls, tokenFile } = listen
  if (needsSecret(address) && tokenFile === undefined && tls?.clientCaFile === undefined)
    throw new AppError(
      "config",
      `cannot listen on ${address}: listen.token_file is missing, and any user who reaches a TCP address could report connections`,
      "Create a token with: openssl rand -hex 32 > FILE, and set listen.token_file to it; or listen on unix:/path.",
    )
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
