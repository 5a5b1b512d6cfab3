import { z } from "zod"
import { parseListen } from "./listen-address.js"
import { path } from "./setting-types.js"

/**
 * Where collectors connect when nobody chose an address; `up` then listens in its state folder. Loopback needs no TLS, but
 * whoever may open a port may be any user of this machine: it needs a token, as every TCP address does.
 */
export const defaultListenAddress = "127.0.0.1:4410"

/** Of the page. Loopback alone. Where the port is in use and nobody chose it, any free one is taken. */
export const defaultPageAddress = "127.0.0.1:4480"

/** What is no address gets an error as such, and not also as one that lacks TLS. */
const isForThisHost = (address: string | undefined) => address === undefined || parseListen(address)?.loopback !== false

/** A unix socket is for its owner alone; a port is for everybody who reaches it. What is no address gets an error as such. */
export function needsSecret(address: string): boolean {
  return parseListen(address)?.path === ""
}

export const missingSecret =
  "is missing: any user who reaches a TCP address, loopback too, could report connections. Create one with: openssl rand -hex 32 > FILE (or set tls.client_ca_file, or listen on unix:/path)"

/** Where collectors connect. */
export const listen = z
  .strictObject({
    address: z
      .string()
      .refine((text) => parseListen(text) !== undefined, {
        error: "is no address to listen on: write 127.0.0.1:4410, [::1]:4410 or unix:/path",
      })
      .optional(),
    tls: z.strictObject({ cert_file: path, key_file: path, client_ca_file: path.optional() }).optional(),
    token_file: path.optional(),
  })
  .refine(({ address, tls }) => tls !== undefined || isForThisHost(address), {
    path: ["tls"],
    error:
      "is missing: an address that other machines reach needs cert_file and key_file (and token_file or client_ca_file)",
  })
  .refine(
    ({ address, tls, token_file }) =>
      address === undefined ||
      !needsSecret(address) ||
      token_file !== undefined ||
      tls?.client_ca_file !== undefined ||
      // Of that the error above is enough.
      (tls === undefined && !isForThisHost(address)),
    { path: ["token_file"], error: missingSecret },
  )

/**
 * An HTTP listener for people and programs. Without an address nobody chose one; "off" closes it. What other machines reach
 * is encrypted and wants a token.
 */
export const served = z
  .strictObject({
    address: z
      .string()
      .refine((text) => text === "off" || parseListen(text)?.path === "", {
        error: "is no address to listen on: write 127.0.0.1:4480, [::1]:4480 or off",
      })
      .optional(),
    tls: z.strictObject({ cert_file: path, key_file: path }).optional(),
    token_file: path.optional(),
  })
  .refine(({ address, tls }) => tls !== undefined || isForThisHost(address), {
    path: ["tls"],
    error: "is missing: an address that other machines reach needs cert_file and key_file",
  })
  .refine(({ address, token_file }) => token_file !== undefined || isForThisHost(address), {
    path: ["token_file"],
    error: "is missing: an address that other machines reach needs a token that its readers know",
  })
