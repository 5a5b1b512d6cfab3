import { programName } from "./program-name.js"

/** Programs that start others on behalf of everybody: what they started is the root of a lineage, not they. */
const launchers =
  /^(systemd|init|sshd|sshd-session|login|su|sudo|cron|crond|atd|tini|dumb-init|dockerd|containerd|containerd-shim.*|runc|conmon|kubelet|s6-.*|supervisord)$/

/** The process that everything came from, below what starts programs for everybody; `ancestors` nearest first. */
export function rootOf<Process extends { readonly exe: string }>(
  process: Process,
  ancestors: readonly NoInfer<Process>[],
): Process {
  const end = ancestors.findIndex(({ exe }) => launchers.test(programName(exe)))
  return ancestors.slice(0, end === -1 ? undefined : end).at(-1) ?? process
}
