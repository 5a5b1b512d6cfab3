import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { backflow } from "../lab/executables.js"

/** `backflow up` with its page, on a port of its own. */
export interface Running {
  readonly address: string
  readonly token: string
  readonly state: string
  stop(): Promise<number | null>
}

/** Resolves when it observes and serves. */
export async function startUp(folder: string, options: readonly string[] = [], page = "127.0.0.1:0"): Promise<Running> {
  const state = join(folder, "state")
  const child = spawn(process.execPath, [backflow, "up", "--state", state, "--page", page, ...options], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] },
  })
  const address = await pageOf(child)
  return {
    address,
    state,
    token: readFileSync(join(state, "page-token"), "utf8").trim(),
    stop: async () => {
      if (child.exitCode !== null) return child.exitCode
      const closed = once(child, "close")
      child.kill("SIGINT")
      await closed
      return child.exitCode
    },
  }
}

function pageOf(child: ChildProcess): Promise<string> {
  let output = ""
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const address = /^ {2}page +(http:\S+).*\n(?:.*\n)* {2}query /m.exec(output)?.[1]
      if (address !== undefined) resolve(address)
    }
    child.stdout?.on("data", read)
    child.stderr?.on("data", read)
    child.once("close", (code) => reject(new Error(`backflow up ended (${code ?? "killed"}): ${output.slice(-1_500)}`)))
  })
}
