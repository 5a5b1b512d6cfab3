/** What a process was asked for, from its arguments and the configuration files that it reads. */
import type { ProcessFacts } from "../../domain/identity.js"
import { programName } from "../../text/program-name.js"
import { forwardDirective, parseSshArgv, type SshArgv } from "../ssh-client/argv.js"
import { parsePlinkArgv } from "../ssh-client/plink-argv.js"
import { assumedGrammar, isPlink, sshGrammarOf, type SshGrammar } from "../ssh-client/programs.js"
import { argvEvidence, fileEvidence } from "./evidence.js"
import { anyPlace } from "./place.js"
import type { TunnelRequest } from "./request.js"
import { autosshEcho } from "../ssh-client/use.js"
import { shellOneLiner } from "./shell-one-liners.js"
import { tunnelTool, type ToolMatch } from "./tunnel-tools.js"
import { intentThresholds } from "./thresholds.js"

const { confidence } = intentThresholds

/** `parent` is what started it, where that is known. */
export function requestOf(facts: ProcessFacts, parent?: ProcessFacts): TunnelRequest | undefined {
  if (isPlink(facts)) return fromSsh(facts, "plink", parsePlinkArgv(facts.argv), confidence.option)
  const grammar = sshGrammarOf(facts)
  if (grammar !== undefined) {
    const line = parseSshArgv(facts.argv, grammar)
    const echo = autosshEcho(facts, parent)
    const forwards = line.forwards.filter(({ what }) => what !== echo)
    return fromSsh(facts, grammar.client, { ...line, forwards }, confidence.option)
  }
  const shell = shellOneLiner(facts)
  if (shell !== undefined) return fromWords(facts, shell, "shell", confidence.code)
  const tool = tunnelTool(facts)
  return tool === undefined ? undefined : fromWords(facts, tool, "tool", confidence.tool)
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
  if (first === undefined) return isCutBeforeItsEnd(facts, line) ? fromCutLine(facts, tool, line, sure) : undefined
  return {
    tool,
    kind: first.kind,
    spellings: all.map(({ text }) => text),
    forwards: all.map(({ what }) => what),
    destination: line.destination,
    // A name of the configuration, a jump host or a proxy may lead anywhere.
    place: anyPlace,
    carriers: [],
    confidence: line.forwards.length > 0 ? sure : Math.min(sure, confidence.configFile),
    evidence: [first.evidence, ...rest.map(({ evidence }) => evidence)],
  }
}

/** Options end where the command of the far side begins: one that was read that far asks for nothing more. */
function isCutBeforeItsEnd({ argvTruncated }: ProcessFacts, { command, cleared }: SshArgv): boolean {
  return argvTruncated && command.length === 0 && !cleared
}

/** What it asks for may stand in what was not read. That it is so long is for the record, and no more. */
function fromCutLine(facts: ProcessFacts, tool: string, { destination }: SshArgv, sure: number): TunnelRequest {
  const shown = facts.argv.join(" ")
  return {
    tool,
    kind: "unread",
    spellings: [shown],
    forwards: ["unread"],
    destination,
    place: anyPlace,
    carriers: [],
    confidence: Math.min(sure, confidence.unread),
    evidence: [argvEvidence(facts, shown)],
  }
}

function fromWords(
  facts: ProcessFacts,
  { tool, text, place, carriers }: ToolMatch,
  kind: "tool" | "shell",
  sure: number,
): TunnelRequest {
  return {
    tool,
    kind,
    spellings: [text],
    forwards: [text],
    destination: facts.argv.slice(1).join(" "),
    place: place ?? anyPlace,
    carriers: kind === "tool" || carriers?.length ? (carriers ?? []) : [programName(facts.exe) || tool, tool],
    confidence: sure,
    evidence: [argvEvidence(facts, text)],
  }
}
