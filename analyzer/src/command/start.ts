import { main } from "./main.js"
import { processTerminal } from "./terminal.js"

// A reader such as head may leave before the end. Lists then stop by themselves, and watching goes on without it.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error
  })
}

process.exitCode = await main(process.argv.slice(2), processTerminal())
