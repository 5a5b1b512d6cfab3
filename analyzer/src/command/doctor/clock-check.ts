import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { degraded, ok } from "./check.js"
import type { Outcome } from "./check.js"
import type { ServerInfo } from "./store-check.js"

/** Beyond this, records of this host stand at times where nobody looks for them. */
const worstSkewMs = 2_000

/** Whether this clock is kept by time servers, as far as the system tells, and how it stands to the store's. */
export async function clock(told: Promise<ServerInfo | undefined>): Promise<Outcome> {
  const [synchronised, server] = await Promise.all([isSynchronised(), told.catch(() => undefined)])
  return judgeClock(synchronised, server?.skewMs)
}

export function judgeClock(synchronised: boolean | undefined, skewMs: number | undefined): Outcome {
  if (skewMs !== undefined && Math.abs(skewMs) > worstSkewMs)
    return degraded(`the store's clock is ${(Math.abs(skewMs) / 1_000).toFixed(1)} s ${skewMs > 0 ? "ahead of" : "behind"} this one`, "Let both follow a time server (chrony, systemd-timesyncd).") // prettier-ignore
  const besides = skewMs === undefined ? "" : `, within ${Math.ceil(Math.abs(skewMs))} ms of the store's`
  if (synchronised === false)
    return degraded(`not kept by a time server${besides}`, "Start chrony or systemd-timesyncd.")
  return ok(`${synchronised === true ? "kept by a time server" : "whether a time server keeps it cannot be told here"}${besides}`) // prettier-ignore
}

/** Undefined where nothing tells, as in most containers. */
async function isSynchronised(): Promise<boolean | undefined> {
  if (existsSync("/run/systemd/timesync/synchronized")) return true
  return new Promise((resolve) => {
    execFile("timedatectl", ["show", "--property=NTPSynchronized", "--value"], { timeout: 3_000 }, (error, stdout) => {
      const word = error === null ? stdout.trim() : ""
      resolve(word === "yes" ? true : word === "no" ? false : undefined)
    })
  })
}
