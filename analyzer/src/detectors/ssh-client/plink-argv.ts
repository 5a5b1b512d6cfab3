/** Reads the command line of PuTTY's plink, whose options are whole words (PuTTY 0.82, cmdline.c). */
import type { RemoteForward, SshArgv } from "./argv.js"

const withArgument = new Set([
  "-load",
  "-P",
  "-l",
  "-pw",
  "-pwfile",
  "-i",
  "-cert",
  "-hostkey",
  "-L",
  "-R",
  "-D",
  "-m",
  "-nc",
  "-proxycmd",
  "-sercfg",
  "-sshlog",
  "-sshrawlog",
  "-sessionlog",
])

export function parsePlinkArgv(argv: readonly string[]): SshArgv {
  const forwards: RemoteForward[] = []
  const localForwards: string[] = []
  const letters = new Set<string>()
  let command: readonly string[] = []
  let destination = ""
  for (let i = 1; i < argv.length; i++) {
    const word = argv[i] ?? ""
    if (!word.startsWith("-")) {
      // What follows the host is the command of the far side.
      if (destination !== "") {
        command = argv.slice(i)
        break
      }
      destination = word
    } else if (withArgument.has(word)) {
      i += 1
      const argument = argv[i]
      if (argument === undefined) continue
      if (word === "-R") forwards.push({ kind: "remote-forward", text: `-R ${argument}`, what: argument })
      if (word === "-L" || word === "-D" || word === "-nc") localForwards.push(argument)
    } else if (word.length === 2) {
      letters.add(word.slice(1))
    }
  }
  const nothing = { settings: [], controlPath: undefined, background: false, cleared: false }
  return { ...nothing, forwards, localForwards, command, letters, destination }
}
