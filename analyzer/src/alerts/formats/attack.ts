/** Names of the MITRE ATT&CK techniques that detectors give, with the tactic each serves here. Source: ATT&CK v17. */
export interface Technique {
  readonly uid: string
  readonly name: string
  readonly tactic: { readonly uid: string; readonly name: string }
  /** The sub-technique, when the id names one. */
  readonly sub?: { readonly uid: string; readonly name: string }
}

export const attackVersion = "17"

const commandAndControl = { uid: "TA0011", name: "Command and Control" }
const lateralMovement = { uid: "TA0008", name: "Lateral Movement" }
const defenseEvasion = { uid: "TA0005", name: "Defense Evasion" }
const execution = { uid: "TA0002", name: "Execution" }

const techniques: Readonly<Record<string, Omit<Technique, "uid">>> = {
  T1572: { name: "Protocol Tunneling", tactic: commandAndControl },
  T1090: { name: "Proxy", tactic: commandAndControl },
  T1071: { name: "Application Layer Protocol", tactic: commandAndControl },
  T1095: { name: "Non-Application Layer Protocol", tactic: commandAndControl },
  T1562: { name: "Impair Defenses", tactic: defenseEvasion },
  "T1562.006": {
    name: "Impair Defenses",
    tactic: defenseEvasion,
    sub: { uid: "T1562.006", name: "Indicator Blocking" },
  },
  "T1021.004": {
    name: "Remote Services",
    tactic: lateralMovement,
    sub: { uid: "T1021.004", name: "SSH" },
  },
  "T1059.004": {
    name: "Command and Scripting Interpreter",
    tactic: execution,
    sub: { uid: "T1059.004", name: "Unix Shell" },
  },
}

/** Undefined for an id that no detector gives. */
export function techniqueOf(id: string): Technique | undefined {
  const known = techniques[id]
  return known && { uid: id.split(".")[0] ?? id, ...known }
}
