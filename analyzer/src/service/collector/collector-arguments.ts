import type { Config } from "../../config/load.js"
import { AppError } from "../../errors.js"

/** How the collector of this host reaches an analyzer that listens on `address`, which has its port by now. */
export function collectorArguments(address: string, { tls, tokenFile }: Config["listen"]): string[] {
  const token = tokenFile === undefined ? [] : ["--token-file", tokenFile]
  if (address.startsWith("unix:")) return ["--analyzer", address, ...token]
  if (tls?.clientCaFile !== undefined) {
    throw new AppError(
      "config",
      "backflow up has no certificate for its own collector, which listen.tls.client_ca_file requires.",
      "Listen on unix:/path here, or run backflow analyzer and backflow-collector by themselves.",
    )
  }
  // Every address of this machine is listened on; loopback is the one that always leads back.
  const reachable = address.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[::\]:/, "[::1]:")
  if (tls === undefined) return ["--analyzer", `http://${reachable}`, ...token]
  return ["--analyzer", `https://${reachable}`, "--ca", tls.certFile, ...token]
}
