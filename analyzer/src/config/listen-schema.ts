import { z } from "zod"
import { parseListen } from "./listen-address.js"
import { path } from "./setting-types.js"

/**
 * Where collectors connect when nobody chose an address; `up` then listens in its state folder. Loopback needs no TLS; a
 * collector elsewhere is a decision that a person makes.
 */
export const defaultListenAddress = "127.0.0.1:4410"

/** Of the page. Loopback alone. Where the port is in use and nobody chose it, any free one is taken. */
export const defaultPageAddress = "127.0.0.1:4480"

/** What is no address gets an error as such, and not also as one that lacks TLS. */
const isForThisHost = (address: string | undefined) => address === undefined || parseListen(address)?.loopback !== false

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
      tls === undefined || tls.client_ca_file !== undefined || token_file !== undefined || isForThisHost(address),
    {
      path: ["token_file"],
      error:
        "is missing: an address that other machines reach needs token_file or tls.client_ca_file, or anyone could report connections",
    },
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
