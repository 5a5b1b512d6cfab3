import { execFileSync } from "node:child_process"
import { backflow } from "./executables.js"

/** The parts of a stored connection that tests compare. */
export interface StoredConnection {
  readonly protocol: string
  readonly cookie: string
  readonly local: string
  readonly local_port: number
  readonly remote: string
  readonly remote_port: number
  readonly initiator: string
  readonly bytes_sent: number
  readonly bytes_received: number
  readonly closed: "open" | "closed" | "vanished"
  readonly exe: string
  readonly pid: number
}

/** Every connection in the store of a state folder, each once, read with `backflow connections`. */
export function storedConnections(state: string): readonly StoredConnection[] {
  const args = [backflow, "connections", "--state", state, "--json", "--limit", "100000"]
  const text = execFileSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 29 })
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as StoredConnection)
}
