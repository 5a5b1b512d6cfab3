import { formatAddress } from "../domain/address.js"
import type { Prefix } from "../domain/address.js"

/** The canonical text of a block: "10.1.0.0/16", "fd00::/8". */
export function formatPrefix({ address, prefix }: Prefix): string {
  const text = formatAddress(address)
  // A block of IPv4 is kept as one of v4-mapped addresses.
  return `${text}/${text.includes(":") ? prefix : prefix - 96}`
}
