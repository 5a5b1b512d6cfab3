import { homedir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "..", "..")

/** The command line of this checkout, for node. */
export const backflow = join(root, "analyzer", "bin", "backflow.js")
/** The collector as it was built here. */
export const collector = join(root, "agent-bridge", "target", "release", "backflow-collector")

/** Where `install-tools.sh` puts programs that no Debian package has. */
export const toolFolder = process.env["LAB_TOOLS"] ?? join(homedir(), ".cache", "backflow-lab", "bin")
