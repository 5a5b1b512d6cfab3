/** What the configuration says of a claim: denied, approved, suppressed, or nothing. Pure; the first rule that matches wins. */
import type { FindingClass } from "../domain/finding-classes.js"
import type { Endpoint, ProcessFacts } from "../domain/identity.js"
import { programPath } from "../text/program-name.js"
import { isAt, parseDestination } from "./destination.js"
import type { Destination } from "./destination.js"
import { matchesPath, matchesText } from "./wildcard.js"

/** Who a rule is for; every part that is given must hold. */
export interface IdentityRule {
  /** Path of the program, with wildcards: "/opt/teleport/*". */
  readonly exe?: string | undefined
  readonly uid?: number | undefined
  /** Beginning of the container id. */
  readonly container?: string | undefined
  /** All arguments joined by spaces, with wildcards. A process chooses its own arguments: weaker than the others. */
  readonly argv?: string | undefined
  /** Path of a program that it descends from, with wildcards. */
  readonly ancestor?: string | undefined
}

export interface PolicyRule {
  readonly destination: string
  readonly identity?: IdentityRule | undefined
  /** All classes when left out. */
  readonly classes?: readonly FindingClass[] | undefined
  readonly reason: string
}

/** The `policy` part of the configuration file. */
export interface PolicyRules {
  /** Wins over both others: a wide approval may have exceptions. */
  readonly denied: readonly PolicyRule[]
  readonly approved: readonly PolicyRule[]
  readonly suppressed: readonly PolicyRule[]
}

export interface Subject {
  readonly class: FindingClass
  /** Far end of the outside connection; without one no rule holds. */
  readonly remote: Endpoint | undefined
  readonly process: ProcessFacts | undefined
  /** Nearest first. */
  readonly ancestors: readonly ProcessFacts[]
}

export interface Ruling {
  readonly status: "denied" | "expected" | "suppressed"
  readonly reason: string
  /** Place in the configuration: "policy.approved[0]". */
  readonly rule: string
}

export interface Policy {
  judge(subject: Subject): Ruling | undefined
}

interface Prepared {
  readonly rule: PolicyRule
  readonly destination: Destination
  readonly ruling: Ruling
}

/** Throws a RangeError that names a rule whose destination cannot be read. */
export function policy({ denied, approved, suppressed }: PolicyRules): Policy {
  const prepared = [
    ...prepare(denied, "denied", "denied"),
    ...prepare(approved, "approved", "expected"),
    ...prepare(suppressed, "suppressed", "suppressed"),
  ]
  return {
    judge: (subject) => prepared.find(({ rule, destination }) => holds(rule, destination, subject))?.ruling,
  }
}

function prepare(rules: readonly PolicyRule[], list: string, status: Ruling["status"]): Prepared[] {
  return rules.map((rule, i) => {
    const place = `policy.${list}[${i}]`
    const destination = parseDestination(rule.destination)
    if (destination === undefined) {
      throw new RangeError(
        `${place}: "${rule.destination}" is no destination: write 203.0.113.0/24, 203.0.113.9:443 or [2001:db8::1]:443`,
      )
    }
    return { rule, destination, ruling: { status, reason: rule.reason, rule: place } }
  })
}

function holds({ classes, identity }: PolicyRule, destination: Destination, subject: Subject): boolean {
  if (classes !== undefined && !classes.includes(subject.class)) return false
  if (subject.remote === undefined || !isAt(subject.remote, destination)) return false
  return identity === undefined || isWho(identity, subject)
}

/** A process of which nothing is known is nobody that a rule names. */
function isWho({ exe, uid, container, argv, ancestor }: IdentityRule, { process, ancestors }: Subject): boolean {
  if (process === undefined) return false
  if (exe !== undefined && !matchesPath(exe, programPath(process.exe))) return false
  if (uid !== undefined && process.uid !== uid) return false
  if (container !== undefined && !(process.containerId !== "" && process.containerId.startsWith(container)))
    return false
  if (argv !== undefined && !matchesText(argv, process.argv.join(" "))) return false
  return ancestor === undefined || ancestors.some((above) => matchesPath(ancestor, programPath(above.exe)))
}
