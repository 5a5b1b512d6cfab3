import type { Metadata } from "@grpc/grpc-js"
import { isSameSecret } from "../../config/secrets.js"

/** Whether the call carries "authorization: Bearer <token>". */
export function isAuthorized(metadata: Metadata, token: string | undefined): boolean {
  if (token === undefined) return true
  const sent = metadata.get("authorization")
  const [value] = sent
  if (sent.length !== 1 || typeof value !== "string" || !value.startsWith("Bearer ")) return false
  return isSameSecret(value.slice("Bearer ".length), token)
}
