import type { ErrorCode } from "../../errors.js"

/** Exit codes of every command, as `--help` prints them. */
export const exitCodes = {
  ok: { code: 0, meaning: "done, or stopped with nothing lost" },
  failed: { code: 1, meaning: "something unexpected; the message says what" },
  usage: { code: 2, meaning: "a command or option that does not exist, or a value that it cannot take" },
  config: { code: 3, meaning: "the configuration is invalid (backflow check-config names every error)" },
  "state-locked": { code: 4, meaning: "another process uses the state folder" },
  "address-in-use": { code: 5, meaning: "the address to listen on is in use or not this machine's" },
  "host-unfit": { code: 6, meaning: "this host cannot be observed: not root, no BTF, or a kernel that is too old" },
  "store-unreachable": { code: 7, meaning: "the store cannot be opened or is unreachable" },
  "store-newer": { code: 8, meaning: "the store was written by a newer release" },
  "store-write": { code: 9, meaning: "stopped before everything was stored" },
  "collector-missing": { code: 10, meaning: "the collector is not built or not executable" },
  "collector-failed": { code: 11, meaning: "the collector failed and could not be restarted" },
  "schema-differs": { code: 12, meaning: "the tables of the store are not those of this release" },
  "broker-unusable": { code: 13, meaning: "the Kafka cluster is unreachable, or refuses" },
  "check-failed": { code: 14, meaning: "a check of backflow doctor failed" },
  "not-proven": { code: 15, meaning: "a host did not show a relay that was opened to prove that it would" },
} as const satisfies Record<ErrorCode | "ok" | "failed", { readonly code: number; readonly meaning: string }>
