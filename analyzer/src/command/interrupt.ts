/** Resolves at the first SIGINT, SIGTERM or SIGHUP. A second one ends the process at once: somebody is in a hurry. */
export function interrupted(exitCode: number): Promise<NodeJS.Signals> {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
  return new Promise((resolve) => {
    let isAsked = false
    for (const signal of signals) {
      process.on(signal, () => {
        if (isAsked) process.exit(exitCode)
        isAsked = true
        resolve(signal)
      })
    }
  })
}
