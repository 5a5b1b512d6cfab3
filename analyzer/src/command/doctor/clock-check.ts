import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { degraded, ok } from "./check.js"
import type { Outcome } from "./check.js"
import type { ServerInfo } from "./store-check.js"

/** Beyond this, records of this host stand at times where nobody looks for them. */
const maxSkewMs = 2_000

const remedies = {
  skewed: "Let both follow a time server (chrony, systemd-timesyncd).",
  unsynchronised: "Start chrony or systemd-timesyncd.",
} as const

/** Whether this clock is synchronised by time servers, as far as the system knows, and its difference from the store's. */
export async function clock(
  isSynchronised: () => Promise<boolean | undefined>,
  serverInfo: Promise<Pick<ServerInfo, "skewMs"> | undefined>,
): Promise<Outcome> {
  const [synchronised, server] = await Promise.all([isSynchronised(), serverInfo.catch(() => undefined)])
  const skewMs = server?.skewMs
  if (skewMs !== undefined && Math.abs(skewMs) > maxSkewMs) {
    const seconds = (Math.abs(skewMs) / 1_000).toFixed(1)
    return degraded(`the store's clock is ${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} this one`, remedies.skewed)
  }
  const toStore = skewMs === undefined ? "" : `, within ${Math.ceil(Math.abs(skewMs))} ms of the store's`
  if (synchronised === false) return degraded(`not synchronised by a time server${toStore}`, remedies.unsynchronised)
  const state = synchronised === true ? "synchronised by a time server" : "synchronisation unknown"
  return ok(`${state}${toStore}`)
}

/** Whether time servers keep the clock of this host. Undefined where nothing knows, as in most containers. */
export async function isClockSynchronised(): Promise<boolean | undefined> {
  if (existsSync("/run/systemd/timesync/synchronized")) return true
  return new Promise((resolve) => {
    execFile("timedatectl", ["show", "--property=NTPSynchronized", "--value"], { timeout: 3_000 }, (error, stdout) => {
      const word = error === null ? stdout.trim() : ""
      resolve(word === "yes" ? true : word === "no" ? false : undefined)
    })
  })
}
