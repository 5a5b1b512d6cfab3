/**
 * Every flood against the real product, one after the other, and a table of what it did: about 25 minutes. Run after a build,
 * as root: node test/floods/run.mjs --help
 */
import { runnerImport } from "vite"

const { module } = await runnerImport(new URL("command.ts", import.meta.url).pathname)
process.exitCode = await module.command(process.argv.slice(2))
