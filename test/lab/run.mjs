/** The benchmark: run after a build, as root. node test/lab/run.mjs --help */
import { runnerImport } from "vite"

const { module } = await runnerImport(new URL("command.ts", import.meta.url).pathname)
process.exitCode = await module.command(process.argv.slice(2))
