export type CanaryKind = "relay" | "shell"

/** One flood: what is run, and when in it the canary comes. */
export interface Flood {
  readonly name: string
  /** For the table. */
  readonly title: string
  /** Arguments of programs/flood.c. */
  readonly args: readonly string[]
  /** From its start to the start of the canary "during", milliseconds: about the middle. */
  readonly midwayMs: number
  readonly canaries: readonly CanaryKind[]
}

/** All floods at full length. Counts and seconds are those that did harm, or none, when they were first tried. */
export const floods: readonly Flood[] = [
  flood("edges", "380,000 places inside dialled by one process", ["380000", "15"], 4_000),
  flood("scan", "4,000 ports of one inside host, 250/s", ["4000", "20", "250"], 8_000),
  flood("groups", "3,000 processes, each with a speaking outside connection", ["3000", "14"], 7_000),
  flood("descriptors", "8 million shared descriptors", ["400", "20", "20000"], 10_000, ["relay", "shell"]),
  flood("execs", "programs with 2,000 bytes of arguments, as fast as it goes, 8 s", ["1000000", "8", "2000"], 3_000),
  flood("both", "8 million shared descriptors and such programs", ["400", "20", "20000"], 10_000, ["relay", "shell"]),
  flood("connections", "50,000 connections in a few seconds", ["50000", "10"], 500),
  flood("intents", "3,000 processes that ask for ssh -R", ["3000", "22"], 8_000),
  flood("forks", "355,600 forks", ["355600", "30"], 5_000),
]

/** Those that fit into npm test: the same, shortened. */
export const shortFloods: readonly Flood[] = [
  flood("edges", "places inside dialled for 3 s", ["380000", "3"], 1_000),
  flood("scan", "2,000 ports of one inside host, 1,000/s", ["2000", "5", "1000"], 1_000),
  flood("descriptors", "a million shared descriptors", ["50", "6", "20000"], 2_000, ["relay", "shell"]),
  flood("execs", "programs with 2,000 bytes of arguments, 3 s", ["1000000", "3", "2000"], 1_000),
]

function flood(
  name: string,
  title: string,
  args: readonly string[],
  midwayMs: number,
  canaries: readonly CanaryKind[] = ["relay"],
): Flood {
  return { name, title, args: [name, ...args], midwayMs, canaries }
}
