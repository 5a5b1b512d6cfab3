/** What a process was asked for, from its arguments and the configuration files that it reads. */
import type { Evidence } from "../../domain/finding.js"
import type { ProcessFacts } from "../../domain/identity.js"
import { parsePlinkArgv } from "./plink-argv.js"
import { shellOneLiner } from "./shell-one-liners.js"
import { forwardDirective, parseSshArgv, type SshArgv } from "./ssh-argv.js"
import { assumedGrammar, isPlink, sshGrammarOf, type SshGrammar } from "./ssh-programs.js"
import { tunnelTool } from "./tunnel-tools.js"
import { thresholds } from "../thresholds.js"

const { confidence } = thresholds.intent

export interface TunnelRequest {
  /** What the tunnel or shell would be made with: "ssh", "chisel". */
  readonly tool: string
  readonly kind: "remote-forward" | "tun" | "tool" | "shell"
  /** The words that ask for it. */
  readonly spellings: readonly string[]
  /** What is asked for without the words: the same in a process and in what it starts for the purpose. */
  readonly forwards: readonly string[]
  /** As the command line names it. */
  readonly destination: string | undefined
  readonly confidence: number
  readonly evidence: readonly [Evidence, ...Evidence[]]
}

/** Longer arguments are cut in evidence: code can fill a page. */
const shownBytes = 300

export function requestOf(facts: ProcessFacts): TunnelRequest | undefined {
  if (isPlink(facts)) return fromSsh(facts, "plink", parsePlinkArgv(facts.argv), confidence.option)
  const grammar = sshGrammarOf(facts)
  if (grammar !== undefined) return fromSsh(facts, grammar.client, parseSshArgv(facts.argv, grammar), confidence.option)
  const shell = shellOneLiner(facts)
  if (shell !== undefined) return fromWords(facts, shell.tool, "shell", shell.text, confidence.code)
  const tool = tunnelTool(facts)
  return tool === undefined ? undefined : fromWords(facts, tool.tool, "tool", tool.text, confidence.tool)
}

/** For a process under another name that is known to speak SSH as the client. */
export function requestOfRenamed(facts: ProcessFacts, grammar: SshGrammar = assumedGrammar): TunnelRequest | undefined {
  return fromSsh(facts, grammar.client, parseSshArgv(facts.argv, grammar), confidence.renamed)
}

function fromSsh(facts: ProcessFacts, tool: string, line: SshArgv, sure: number): TunnelRequest | undefined {
  const directives = line.cleared
    ? []
    : facts.sshForwards.flatMap(({ path, directive }) => {
        const found = forwardDirective(directive)
        return found === undefined
          ? []
          : [{ ...found, text: directive, evidence: fileEvidence(facts, path, directive) }]
      })
  const all = [
    ...line.forwards.map((found) => ({ ...found, evidence: argvEvidence(facts, found.text) })),
    ...directives,
  ]
  const [first, ...rest] = all
  if (first === undefined) return undefined
  return {
    tool,
    kind: first.kind,
    spellings: all.map(({ text }) => text),
    forwards: all.map(({ what }) => what),
    destination: line.destination,
    confidence: line.forwards.length > 0 ? sure : Math.min(sure, confidence.configFile),
    evidence: [first.evidence, ...rest.map(({ evidence }) => evidence)],
  }
}

function fromWords(
  facts: ProcessFacts,
  tool: string,
  kind: "tool" | "shell",
  text: string,
  sure: number,
): TunnelRequest {
  return {
    tool,
    kind,
    spellings: [text],
    forwards: [text],
    destination: undefined,
    confidence: sure,
    evidence: [argvEvidence(facts, text)],
  }
}

function argvEvidence(facts: ProcessFacts, text: string): Evidence {
  return {
    kind: "argv",
    text: `The command line says: ${shown(text)}`,
    atUs: facts.execUs,
    facts: { argv: shown(text), pid: facts.pid, argv_truncated: facts.argvTruncated },
  }
}

function fileEvidence(facts: ProcessFacts, path: string, directive: string): Evidence {
  return {
    kind: "config-file",
    text: `${path}, which the client reads, says: ${shown(directive)}`,
    atUs: facts.execUs,
    facts: { path, directive: shown(directive), pid: facts.pid },
  }
}

function shown(text: string): string {
  return text.length > shownBytes ? `${text.slice(0, shownBytes)}…` : text
}
