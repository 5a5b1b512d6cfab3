import { createHash, timingSafeEqual } from "node:crypto"
import type { Metadata } from "@grpc/grpc-js"

/**
 * Whether the call carries "authorization: Bearer <token>". Digests are compared, in constant time: neither the length nor a
 * prefix of the token shows in how long it takes.
 */
export function isAuthorized(metadata: Metadata, token: string | undefined): boolean {
  if (token === undefined) return true
  const sent = metadata.get("authorization")
  const [value] = sent
  if (sent.length !== 1 || typeof value !== "string" || !value.startsWith("Bearer ")) return false
  return timingSafeEqual(digest(value.slice("Bearer ".length)), digest(token))
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest()
}
