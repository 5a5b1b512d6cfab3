/** Milliseconds since the epoch of a time in a finding: RFC 3339 with nine digits. */
export function milliseconds(time: string): number {
  return Date.parse(`${time.slice(0, 23)}Z`)
}
