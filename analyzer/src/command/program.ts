import { main } from "./main.js"
import { processTerminal } from "./cli/terminal.js"

// A reader such as head may leave before the end. Lists then stop by themselves, and the analyzer goes on without it.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error
  })
}

/** What is still open after everything was stopped is a leftover of some client (kafkajs after a crash of its broker). */
const lingerMs = 500

process.exitCode = await main(process.argv.slice(2), processTerminal())
setTimeout(() => process.exit(), lingerMs).unref()
