/**
 * Where a shell takes its commands from a connection, by the statements of a script: its input is the connection, or leads
 * back to it through pipes and named pipes while its output goes out there. What only asks a port or fetches a page joins no
 * shell.
 */
import { programName } from "../../text/program-name.js"
import { commandOf, netPlace, readVariables, runsCode, runsCommands } from "./shell-commands.js"
import { anyPlace, placeOf, type Place } from "./place.js"
import { parseShell, type Command, type Pipeline, type Redirection, type Script } from "./shell-syntax.js"
import { intentThresholds as limits } from "./thresholds.js"

/** What a descriptor leads to: a connection, or something with a name that others may use too. */
type Channel = { readonly net: Place } | { readonly name: string }

/** A command as a part of what flows: it passes on, talks to the outside, or runs what it is given. */
interface Stage {
  readonly kind: "filter" | "net" | "shell"
  readonly ins: readonly Channel[]
  readonly outs: readonly Channel[]
  readonly place: Place
  readonly program: string
}

interface Scope {
  readonly descriptors: Map<string, Channel | undefined>
  /** Variables into which `read` put what came, with where from. */
  readonly variables: Map<string, Channel>
}

export interface Join {
  readonly place: Place
  /** Programs that hold the connection; empty for the shell itself. */
  readonly carriers: readonly string[]
}

export function shellJoin(code: string): Join | undefined {
  return new Flow().run(code.slice(0, limits.codeCharacters))
}

class Flow {
  readonly #stages: Stage[] = []
  readonly #fifos = new Set<string>()
  #pipes = 0
  #commands = 0

  run(code: string): Join | undefined {
    this.#script(parseShell(code), { descriptors: new Map(), variables: new Map() }, 0)
    return this.#solve()
  }

  #script(script: Script, scope: Scope, nesting: number): void {
    for (const pipeline of script) this.#pipeline(pipeline, scope, nesting)
  }

  #pipeline(pipeline: Pipeline, scope: Scope, nesting: number): void {
    let input: Channel | undefined
    for (const [i, command] of pipeline.entries()) {
      if (++this.#commands > limits.shellCommands) return
      // Only what is alone in its pipeline runs in the shell itself.
      const own = pipeline.length > 1 ? copyOf(scope) : scope
      const isLast = i === pipeline.length - 1
      const output = isLast ? undefined : { name: `pipe ${++this.#pipes}` }
      this.#command(command, scope, own, input, output, nesting)
      input = output
    }
  }

  #command(
    command: Command,
    scope: Scope,
    own: Scope,
    input: Channel | undefined,
    output: Channel | undefined,
    nesting: number,
  ): void {
    for (const script of command.inner) this.#script(script, copyOf(own), nesting)
    const words = commandOf(command.words)
    const [first = ""] = words
    const here = copyOf(own)
    if (input !== undefined) here.descriptors.set("0", input)
    if (output !== undefined) here.descriptors.set("1", output)
    const changesItself = first === "" && command.words.includes("exec")
    for (const redirection of command.redirections) {
      redirect(redirection, here.descriptors)
      if (changesItself) redirect(redirection, own.descriptors)
    }
    if (command.body !== undefined) {
      // What a loop reads stays known behind it only in the shell itself.
      this.#script(command.body, here, nesting)
      if (own === scope) for (const [name, channel] of here.variables) set(scope.variables, name, channel)
      return
    }
    this.#simple(first, words, here, own, nesting)
  }

  #simple(first: string, words: readonly string[], here: Scope, own: Scope, nesting: number): void {
    const { descriptors } = here
    const stdin = descriptors.get("0")
    const program = programName(first)
    if (program === "mkfifo" || (program === "mknod" && words.includes("p")))
      for (const word of words.slice(1)) this.#fifos.add(word)
    if (program === "ztcp") own.descriptors.set("$REPLY", { net: placeOf(words[1] ?? "", words[2] ?? "") })
    const read = readVariables(program, words)
    if (read !== undefined) {
      const from = read.fd === undefined ? stdin : descriptors.get(read.fd)
      if (from !== undefined) for (const name of read.names) set(own.variables, name, from)
      return
    }
    const code = runsCode(program, words)
    for (const name of variablesIn(code === undefined ? (words[0] ?? "") : code)) {
      const from = own.variables.get(name)
      if (from !== undefined) this.#stage("shell", program, [from], here)
    }
    const place = netPlace(program, words)
    if (place !== undefined) this.#stage("net", program, channels(stdin), here, place)
    else if (code !== undefined && nesting < limits.shellNesting)
      this.#script(parseShell(code), copyOf(here), nesting + 1)
    else if (runsCommands(program, words)) this.#stage("shell", program, channels(stdin), here)
    else this.#stage("filter", program, [...channels(stdin), ...words.slice(1).map((name) => ({ name }))], here)
  }

  #stage(
    kind: Stage["kind"],
    program: string,
    ins: readonly Channel[],
    { descriptors }: Scope,
    place: Place = anyPlace,
  ): void {
    const outs = [...channels(descriptors.get("1")), ...channels(descriptors.get("2"))]
    this.#stages.push({ kind, ins, outs, place, program })
  }

  /** From each connection on through what passes on, to a shell whose output goes out. */
  #solve(): Join | undefined {
    const isShared = (name: string) => name.startsWith("pipe ") || this.#fifos.has(name)
    const key = (channel: Channel) => ("name" in channel && isShared(channel.name) ? [channel.name] : [])
    const fromNet = this.#reach(key, "ins", "outs")
    const toNet = this.#reach(key, "outs", "ins")
    for (const { kind, ins, outs } of this.#stages) {
      if (kind !== "shell") continue
      for (const channel of ins) {
        if ("net" in channel) return { place: channel.net, carriers: [] }
        const source = key(channel).flatMap((name) => fromNet.get(name) ?? [])[0]
        if (source === undefined) continue
        const answers = outs.some((out) => "net" in out || key(out).some((name) => toNet.has(name)))
        if (answers) return source
      }
    }
    return undefined
  }

  /** Names that a connection leads to (from "ins" to "outs" of filters), or that lead to one. */
  #reach(key: (channel: Channel) => string[], from: "ins" | "outs", to: "ins" | "outs"): Map<string, Join> {
    const found = new Map<string, Join>()
    const next = new Map<string, Stage[]>()
    const queue: [Stage, Join][] = []
    for (const stage of this.#stages) {
      if (stage.kind === "net") {
        queue.push([stage, { place: stage.place, carriers: [stage.program] }])
        continue
      }
      if (stage.kind !== "filter") continue
      const direct = stage[from].find((channel) => "net" in channel)
      if (direct !== undefined && "net" in direct) queue.push([stage, { place: direct.net, carriers: [] }])
      for (const name of stage[from].flatMap(key)) {
        const readers = next.get(name)
        if (readers) readers.push(stage)
        else next.set(name, [stage])
      }
    }
    for (const [stage, join] of queue) {
      for (const name of stage[to].flatMap(key)) {
        if (found.has(name)) continue
        found.set(name, join)
        for (const reader of next.get(name) ?? []) queue.push([reader, join])
      }
    }
    return found
  }
}

const channels = (channel: Channel | undefined) => (channel === undefined ? [] : [channel])

function copyOf({ descriptors, variables }: Scope): Scope {
  return { descriptors: new Map(descriptors), variables: new Map(variables) }
}

function set<Value>(map: Map<string, Value>, name: string, value: Value): void {
  if (map.size < limits.shellNames || map.has(name)) map.set(name, value)
}

function redirect({ fd, operator, target }: Redirection, descriptors: Map<string, Channel | undefined>): void {
  if (operator.startsWith("<<")) {
    descriptors.delete(fd)
    return
  }
  const isDuplicate = operator === "<&" || operator === ">&"
  const isDescriptor = isDuplicate && /^(\d+-?|-|\$.*)$/.test(target)
  const channel = isDescriptor ? descriptors.get(target.replace(/(?<=\d)-$/, "")) : channelOf(target)
  set(descriptors, fd, channel)
  // ">& path" and "&> path" are both outputs.
  if (operator.startsWith("&>") || (operator === ">&" && !isDescriptor && fd === "1")) {
    descriptors.set("1", channel)
    descriptors.set("2", channel)
  }
}

function channelOf(path: string): Channel {
  const match = /^\/dev\/(?:tcp|udp)\/([^/]+)\/([^/]+)$/.exec(path)
  return match === null ? { name: path } : { net: placeOf(match[1] ?? "", match[2] ?? "") }
}

/** Names that stand in a word as "$name" or "${name}". */
function variablesIn(word: string): readonly string[] {
  return [...word.matchAll(/\$\{?(\w+)/g)].map(([, name = ""]) => name)
}
