/**
 * What any tool makes of the data set: node test/lab/score-alerts.mjs DATASET ALERTS
 * ALERTS holds the tool's alerts as JSON lines, each with `scenario` (the folder's name) and any of `at` (RFC 3339) or `at_us`,
 * `class`, `pid`, `local`, `remote` (ADDRESS:PORT); or it is `backflow`: then the findings that were recorded with the data set.
 */
import { createHash } from "node:crypto"
import { existsSync, readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"

const [folder, source] = process.argv.slice(2)
if (folder === undefined || source === undefined) {
  console.error("usage: node test/lab/score-alerts.mjs DATASET ALERTS|backflow")
  process.exit(64)
}

const lines = (path) =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((l) => JSON.parse(l))
    : []

const { files } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"))
const altered = files.filter(({ path, sha256 }) => {
  const file = join(folder, path)
  return !existsSync(file) || createHash("sha256").update(readFileSync(file)).digest("hex") !== sha256
})
if (altered.length > 0) {
  console.error(`not the data set of its manifest: ${altered.map(({ path }) => path).join(", ")}`)
  process.exit(1)
}

const scenarios = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, "truth.json")))
  .map((name) => ({ name, truth: JSON.parse(readFileSync(join(folder, name, "truth.json"), "utf8")) }))

/** Findings of Backflow in the form that any tool's alerts have. */
function recorded({ name }) {
  return lines(join(folder, name, "findings.jsonl"))
    .filter(({ severity, status }) => ["medium", "high", "critical"].includes(severity) && status !== "proof")
    .map(({ class: kind, detected_at: at, process: { pid, ancestors }, connection }) => ({
      scenario: name,
      at,
      class: kind,
      pid,
      pids: [pid, ...ancestors.map((one) => one.pid)],
      remote: connection && `${connection.remote.address}:${connection.remote.port}`,
    }))
}

const alerts = source === "backflow" ? scenarios.flatMap(recorded) : lines(source)
const endOf = ([address, port]) => `${address}:${port}`

function judge({ name, truth }) {
  const own = alerts.filter((alert) => alert.scenario === name && concernsScenario(alert, truth))
  const tunnels = truth.sockets.filter(({ role }) => role === "tunnel")
  const first = own[0]
  const atUs = first && (first.at_us ?? Date.parse(first.at) * 1000)
  return {
    name,
    kind: truth.kind,
    found: own.length > 0,
    isClassRight: own.some((alert) => truth.classes.includes(alert.class)),
    isSocketRight: own.some(({ remote, local }) =>
      tunnels.some((t) => remote === endOf(t.remote) || local === endOf(t.local)),
    ),
    latencyMs: atUs && truth.first_use_us !== null ? Math.max(0, (atUs - truth.first_use_us) / 1000) : undefined,
  }
}

/** Whoever names a process names one of the scenario's; the machine that recorded it ran other programs too. */
function concernsScenario({ pid, pids = [pid] }, truth) {
  if (pid === undefined || pid === null) return true
  const known = new Set([...truth.pids, ...truth.sockets.flatMap(({ processes }) => processes.map((one) => one.pid))])
  return pids.some((one) => known.has(one))
}

/** Bounds at 95 % after Wilson. */
function rate(count, of) {
  if (of === 0) return "none"
  const [z, share] = [1.959964, count / of]
  const middle = share + (z * z) / (2 * of)
  const spread = z * Math.sqrt((share * (1 - share) + (z * z) / (4 * of)) / of)
  const percent = (x) => `${(100 * Math.min(1, Math.max(0, x))).toFixed(1)} %`
  const scale = 1 + (z * z) / of
  return `${count} of ${of} (95 %: ${percent((middle - spread) / scale)} to ${percent((middle + spread) / scale)})`
}

const results = scenarios.map(judge)
const bad = results.filter(({ kind }) => kind === "malicious")
const good = results.filter(({ kind }) => kind === "benign")
const found = bad.filter((one) => one.found)
const latencies = found
  .map(({ latencyMs }) => latencyMs)
  .filter((ms) => ms !== undefined)
  .sort((a, b) => a - b)
const at = (share) => latencies[Math.max(0, Math.ceil(share * latencies.length) - 1)]?.toFixed(0) ?? "-"
for (const { name, kind, found: isFound } of results)
  if ((kind === "malicious") !== isFound) console.log(`${kind === "malicious" ? "missed" : "false alarm"}: ${name}`)
console.log(`found         ${rate(found.length, bad.length)}`)
console.log(`right class   ${rate(found.filter((one) => one.isClassRight).length, found.length)}`)
console.log(`right socket  ${rate(found.filter((one) => one.isSocketRight).length, found.length)}`)
console.log(`false alarms  ${rate(good.filter((one) => one.found).length, good.length)}`)
console.log(`after use     median ${at(0.5)} ms, p99 ${at(0.99)} ms, of ${latencies.length}`)
