// Which form of a batch decodes fastest in TypeScript: one message a record, or one column a field; and the columns once by
// the generated code, once in place as the analyzer does it. Each ends with the same domain objects. Rounds are interleaved
// and CPU time is counted, because the machine's speed drifts; ratios are what counts.
//
//   npm run build && node test/bench/wire-form.mjs [--rounds 15] [--records 500]
import { writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { backflow } from "@backflow/proto"
import { formatAddress, parseAddress } from "@backflow/analyzer/domain/address"
import { decode } from "@backflow/analyzer/ingest/decode/decode"
import { ProcessDictionary } from "@backflow/analyzer/ingest/decode/dictionary"
import { noSsh } from "@backflow/analyzer/testing/connections"
import { startUs } from "@backflow/analyzer/testing/time"
import { toHex, toNumber } from "@backflow/analyzer/ingest/decode/uint64"

const { values } = parseArgs({ options: { rounds: { type: "string" }, records: { type: "string" } } })
const rounds = Number(values.rounds ?? 15)
const records = Number(values.records ?? 500)
/** Records decoded in one round of one form. */
const recordsPerRound = 100_000

const { RowBatch } = await generated("row.proto")

/** 50 connections of 20 processes to 100 remotes, a third of them IPv6, as a busy host reports them. */
function sampleRecords(seed) {
  let state = seed
  // xorshift32: the same records on every machine.
  const random = (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
  return Array.from({ length: records }, () => {
    const host = random(100)
    return {
      cookie: String(1_000_000 + random(200_000)),
      netns: 4_026_531_840,
      process: 1 + random(20),
      flags: 1 | (random(3) << 2) | (6 << 8) | (1 << 17),
      local: parseAddress("10.0.0.5"),
      remote: parseAddress(host % 3 === 0 ? `2001:db8::${host}` : `203.0.113.${host}`),
      localPort: 32_768 + random(28_000),
      remotePort: random(4) === 0 ? 22 : 443,
      openedUs: -random(600_000_000),
      observedUs: -random(200_000),
      bytesSent: random(2_000_000),
      bytesReceived: random(20_000_000),
    }
  })
}

function rowBytes(sample) {
  const rows = sample.map(({ local, remote, ...rest }) => ({ ...rest, localAddress: local, remoteAddress: remote }))
  return RowBatch.encode(RowBatch.fromObject({ seq: 1, baseUs: startUs, rows })).finish()
}

function columnBytes(sample) {
  const texts = [
    ...new Set(sample.flatMap(({ local, remote }) => [local, remote]).map((bytes) => formatAddress(bytes))),
  ]
  const index = new Map(texts.map((text, i) => [text, i]))
  const names = ["cookie", "netns", "process", "flags", "localPort", "remotePort", "openedUs", "observedUs", "bytesSent", "bytesReceived"] // prettier-ignore
  const connections = {
    ...Object.fromEntries(names.map((name) => [name, sample.map((record) => record[name])])),
    localAddress: sample.map(({ local }) => index.get(formatAddress(local))),
    remoteAddress: sample.map(({ remote }) => index.get(formatAddress(remote))),
    addresses: Buffer.concat(texts.map((text) => parseAddress(text))),
  }
  const message = backflow.v1.CollectorMessage
  return message.encode(message.fromObject({ batch: { seq: 1, baseUs: startUs, connections } })).finish()
}

const initiators = ["unknown", "local", "remote"]
const reasons = ["opened", "moved", "closed", "identified"]

function update(cookie, netns, process, flags, local, remote, openedUs, observedUs, bytesSent, bytesReceived) {
  return {
    cookie,
    netns,
    process: keys[process],
    initiator: initiators[flags & 3],
    reason: reasons[(flags >> 2) & 3],
    protocol: ((flags >> 8) & 0xff) === 6 ? "tcp" : "udp",
    ssh: noSsh,
    olderThanCollector: (flags & 0x1_00_00) !== 0,
    established: (flags & 0x2_00_00) !== 0,
    local,
    remote,
    openedUs,
    observedUs,
    bytesSent,
    bytesReceived,
    exchanges: undefined,
  }
}
const keys = Array.from({ length: 21 }, (_, i) => (i === 0 ? undefined : `${i}:1000`))
const signed = (word) => word.high * 2 ** 32 + (word.low >>> 0)

function decodeRows(bytes) {
  return RowBatch.decode(bytes).rows.map((row) =>
    update(
      toHex(row.cookie),
      row.netns,
      row.process,
      row.flags,
      { address: formatAddress(row.localAddress), port: row.localPort },
      { address: formatAddress(row.remoteAddress), port: row.remotePort },
      startUs + signed(row.openedUs),
      startUs + signed(row.observedUs),
      toNumber(row.bytesSent),
      toNumber(row.bytesReceived),
    ),
  )
}

function decodeGeneratedColumns(bytes) {
  const c = backflow.v1.CollectorMessage.decode(bytes).batch.connections
  const addresses = Array.from({ length: c.addresses.length / 16 }, (_, i) => formatAddress(c.addresses, 16 * i))
  return c.cookie.map((cookie, i) =>
    update(
      toHex(cookie),
      c.netns[i],
      c.process[i],
      c.flags[i],
      { address: addresses[c.localAddress[i]], port: c.localPort[i] },
      { address: addresses[c.remoteAddress[i]], port: c.remotePort[i] },
      startUs + signed(c.openedUs[i]),
      startUs + signed(c.observedUs[i]),
      toNumber(c.bytesSent[i]),
      toNumber(c.bytesReceived[i]),
    ),
  )
}

const dictionary = new ProcessDictionary()
keys.forEach((key, reference) => key && dictionary.learn(reference, key))
const context = { dictionary, nowUs: startUs, reject: (reason) => { throw new Error(`rejected: ${reason}`) } } // prettier-ignore

function decodeInPlace(bytes) {
  const decoded = decode(bytes, context)
  if (decoded.kind !== "batch") throw new Error(decoded.detail)
  return decoded.batch.connections
}

/** Static code for a schema of this folder, made as that of the contract is, and beside it: it imports the same runtime. */
async function generated(schema) {
  const { pbjs } = createRequire(new URL("../../proto/package.json", import.meta.url))("protobufjs-cli")
  const options = ["-t", "static-module", "-w", "es6", "--no-service", "--no-verify", "--no-delimited", "--force-long", "-r", "bench"] // prettier-ignore
  const code = await new Promise((resolve, reject) =>
    pbjs.main([...options, join(import.meta.dirname, schema)], (error, text) =>
      error ? reject(error) : resolve(text),
    ),
  )
  const file = join(import.meta.dirname, "../../proto/gen", schema.replace(".proto", ".bench.js"))
  writeFileSync(file, code)
  return (await import(file)).backflow.bench
}

const samples = Array.from({ length: 20 }, (_, i) => sampleRecords(i + 1))
const forms = [
  { name: "rows, generated code", decode: decodeRows, batches: samples.map(rowBytes) },
  { name: "columns, generated code", decode: decodeGeneratedColumns, batches: samples.map(columnBytes) },
  { name: "columns, read in place", decode: decodeInPlace, batches: samples.map(columnBytes) },
].map((form) => ({ ...form, ns: [] }))

const [expected, ...others] = forms.map(({ decode: read, batches }) =>
  JSON.stringify(batches.map((bytes) => read(bytes))),
)
if (others.some((found) => found !== expected)) throw new Error("the forms do not decode to the same records")

for (let round = -2; round < rounds; round++)
  for (const form of forms) {
    const before = process.cpuUsage()
    let seen = 0
    for (let i = 0; seen < recordsPerRound; i++) seen += form.decode(form.batches[i % form.batches.length]).length
    const { user, system } = process.cpuUsage(before)
    // The first two rounds warm the compiler up.
    if (round >= 0) form.ns.push(((user + system) * 1_000) / seen)
  }

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
const best = forms.at(-1)
console.log(
  `${records} records a batch, ${rounds} interleaved rounds of ${recordsPerRound} records, Node ${process.version}\n`,
)
console.log(
  "| form | bytes/record | CPU ns/record, median (min..max) | records/s/core | time / in place, median of rounds |",
)
console.log("|---|---|---|---|---|")
for (const { name, batches, ns } of forms) {
  const bytes = batches.reduce((sum, { length }) => sum + length, 0) / (batches.length * records)
  const ratio = median(ns.map((value, i) => value / best.ns[i]))
  const spread = `${Math.min(...ns).toFixed(0)}..${Math.max(...ns).toFixed(0)}`
  console.log(`| ${name} | ${bytes.toFixed(0)} | ${median(ns).toFixed(0)} (${spread}) | ${(1_000 / median(ns)).toFixed(2)} M | ${ratio.toFixed(1)} |`) // prettier-ignore
}
