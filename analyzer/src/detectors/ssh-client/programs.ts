/** Programs that are SSH clients by their names, and the grammar of their arguments. */
import type { Connection } from "../../domain/connection.js"
import type { ProcessFacts } from "../../domain/identity.js"
import { programName } from "../../text/program-name.js"

/** Option letters of one client; a colon after a letter means that it takes an argument, as for getopt(3). */
export interface SshGrammar {
  readonly client: string
  readonly options: string
  /** Option that joins stdin and stdout to an address and thereby clears all forwardings, if there is one. */
  readonly stdioForward: string | undefined
}

/** OpenSSH 10.0, ssh.c. Its getopt stops at the first word that is no option, and starts again after the host. */
const openssh: SshGrammar = {
  client: "ssh",
  options: "1246ab:c:e:fgi:kl:m:no:p:qstvxAB:CD:E:F:GI:J:KL:MNO:P:Q:R:S:TVw:W:XYy",
  stdioForward: "W",
}

/** autossh 1.4: its own -M PORT, the rest is ssh's. */
const autossh: SshGrammar = { ...openssh, client: "autossh", options: openssh.options.replace("M", "M:") }

/** Dropbear 2022.83 to 2024.85, cli-runopts.c; -D, -e and -F are read and ignored. -W is the size of a window. */
const dbclient: SshGrammar = {
  client: "dbclient",
  options: "yp:i:tTqfsNo:zB:J:l:hvuW:K:I:Ac:m:b:L:R:gVD:e:F:",
  stdioForward: undefined,
}

/** plink is a client too; its options are whole words: see plink-argv.ts. */
const byName: Readonly<Record<string, SshGrammar>> = {
  ssh: openssh,
  slogin: openssh,
  autossh,
  dbclient,
}

/** The grammar of a program that is an SSH client by its name, by executable first and then by what it calls itself. */
export function sshGrammarOf({ exe, argv }: Pick<ProcessFacts, "exe" | "argv">): SshGrammar | undefined {
  const [called = ""] = argv
  return byName[programName(exe)] ?? byName[programName(called)]
}

export function isPlink({ exe, argv }: Pick<ProcessFacts, "exe" | "argv">): boolean {
  return programName(exe) === "plink" || programName(argv[0] ?? "") === "plink"
}

/** By executable first and then by what it calls itself, as dropbear's one file for several programs goes by. */
export function isSshClient(facts: Pick<ProcessFacts, "exe" | "argv">): boolean {
  return sshGrammarOf(facts) !== undefined || isPlink(facts)
}

/** SSH's registered port (RFC 4253 4.2; IANA). */
const sshPort = 22

/**
 * Of a connection older than the collector the first bytes were not seen: the name of its program and the registered port
 * stand in, and only for the role of the client.
 */
export function isSshClientByName(connection: Connection, owner: ProcessFacts | undefined): boolean {
  const { olderThanCollector, remote } = connection
  return olderThanCollector && remote.port === sshPort && owner !== undefined && isSshClient(owner)
}

/** What a program that speaks SSH as the client but has another name most likely is. */
export const assumedGrammar = openssh
