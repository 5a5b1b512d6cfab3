import type { Endpoint, Microseconds, ProcessKey } from "./identity.js"

/** What came in through one tun or tap device to services of the host: running totals, and the last connection of them. */
export interface TunnelUse {
  /** Network namespace and index of the device, as `deviceIdOf` gives it. */
  readonly deviceId: string
  readonly deviceName: string
  /** Of the last connection that a service accepted: its socket, who owns it, who wrote its packets to the device. */
  readonly cookie: string
  readonly service: ProcessKey | undefined
  readonly writer: ProcessKey | undefined
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly accepted: number
  /** Those before which the writer had been spoken to from outside within 100 ms. */
  readonly acceptedAfter: number
  /** Payload of all of them. */
  readonly bytesIn: number
  readonly bytesOut: number
  readonly firstUs: Microseconds
  readonly lastUs: Microseconds
}

/** What the kernel passed on from one tun or tap device to other machines: running totals, and the last pair of ends. */
export interface TunnelForward {
  /** As in TunnelUse; the name is empty until something was answered. */
  readonly deviceId: string
  readonly deviceName: string
  /** Who wrote the last packet to the device. */
  readonly writer: ProcessKey | undefined
  /** Addresses: behind the device, and the other machine. */
  readonly outside: string
  readonly inside: string
  /** Pairs of which the end behind the device spoke first. */
  readonly opened: number
  /** Those before which the writer had been spoken to from outside within 100 ms. */
  readonly openedAfter: number
  readonly answered: number
  /** Of these pairs. */
  readonly packetsIn: number
  readonly packetsOut: number
  readonly firstUs: Microseconds
  readonly lastUs: Microseconds
}

/** 16 hex digits: inode of the network namespace, then interface index. An attachment has it in place of a cookie. */
export function deviceIdOf(netns: number, index: number): string {
  const hex = (value: number) => value.toString(16).padStart(8, "0")
  return hex(netns) + hex(index)
}

export function netnsOfDevice(deviceId: string): number {
  return Number.parseInt(deviceId.slice(0, 8), 16)
}
