/** A second signal within this time is the first one, forwarded by npm or a shell that got it as well. */
const echoMs = 1_000

/** Resolves at the first SIGINT, SIGTERM or SIGHUP. Another one later ends the process at once: somebody is in a hurry. */
export function interrupted(exitCode: number): Promise<NodeJS.Signals> {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
  return new Promise((resolve) => {
    let lastSignalMs = Number.POSITIVE_INFINITY
    for (const signal of signals) {
      process.on(signal, () => {
        const nowMs = performance.now()
        if (nowMs - lastSignalMs > echoMs) process.exit(exitCode)
        lastSignalMs = Math.min(lastSignalMs, nowMs)
        resolve(signal)
      })
    }
  })
}
