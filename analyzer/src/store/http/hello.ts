import type { Answer } from "./engine.js"
import type { SqlRequest } from "./request.js"

/**
 * ClickHouse's Go driver, and with it Grafana's data source, asks this first, and decodes the answer by its own protocol
 * version. The embedded engine writes blocks of version 0 alone. So this one answer is made here, in the driver's form,
 * and tells revision 0: from then on the driver takes the engine's blocks as they are (clickhouse-go 2.50, conn_http.go).
 */
const question = /^\s*SELECT displayName\(\), version\(\), revision\(\), timezone\(\)\s*;?\s*$/

/** From this version on a block begins with its info, and each column tells whether it is serialized in a special way. */
const withColumnFlag = 54_454

export function isHello({ query, format, protocol }: SqlRequest): boolean {
  return question.test(query) && format === "Native" && protocol !== undefined && protocol > 0
}

/** Name, version, revision 0 and time zone as one row of the Native format. */
export function helloBlock(version: string, protocol: number = withColumnFlag): Answer {
  const revision = Buffer.alloc(4)
  const columns: readonly (readonly [name: string, type: string, value: Buffer])[] = [
    ["displayName()", "String", text("backflow")],
    ["version()", "String", text(version)],
    ["revision()", "UInt32", revision],
    ["timezone()", "String", text("UTC")],
  ]
  // Field 1: no overflow rows; field 2: bucket -1; end.
  const info = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0])
  const flag = Buffer.alloc(protocol >= withColumnFlag ? 1 : 0)
  const bytes = Buffer.concat([
    info,
    Buffer.from([columns.length, 1]),
    ...columns.flatMap(([name, type, value]) => [text(name), text(type), flag, value]),
  ])
  return { bytes, format: "Native", rowsRead: 1, bytesRead: 1, elapsedSeconds: 0 }
}

/** Shorter than 128 bytes, so that its length is one byte. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value.slice(0, 100), "latin1")
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}
