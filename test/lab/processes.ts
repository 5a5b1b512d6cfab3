import type { ChildProcess } from "node:child_process"
import { once } from "node:events"

/** Resolves with the first line of a program's output that starts with `word`; rejects when the program ends first. */
export function waitForLine(
  child: ChildProcess,
  word: string,
  stream: "stdout" | "stderr" = "stdout",
): Promise<string> {
  const output = child[stream]
  if (output === null) throw new Error("the program was started without that stream")
  return new Promise((resolve, reject) => {
    let text = ""
    const read = (chunk: Buffer): void => {
      text += chunk.toString()
      const line = text
        .split("\n")
        .slice(0, -1)
        .find((l) => l.startsWith(word))
      if (line === undefined) return
      output.off("data", read)
      output.resume()
      resolve(line)
    }
    output.on("data", read)
    let errors = ""
    child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()))
    child.once("close", (code) =>
      reject(
        new Error(
          `${child.spawnargs.slice(4).join(" ")} ended (${code ?? "killed"}) before it printed ${word}: ${errors.slice(-600)}`,
        ),
      ),
    )
  })
}

/** Resolves when a program ends well; rejects with the end of its error output otherwise. */
export async function waitForSuccess(child: ChildProcess): Promise<void> {
  let errors = ""
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()))
  child.stdout?.resume()
  if (child.exitCode === null && child.signalCode === null) await once(child, "close")
  if (child.exitCode !== 0)
    throw new Error(
      `${child.spawnargs.slice(4).join(" ")} failed (${child.exitCode ?? child.signalCode ?? "?"}): ${errors.slice(-600)}`,
    )
}

/** Ends a program; resolves when it is gone. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, "exit")
  child.kill("SIGTERM")
  await closed
}
