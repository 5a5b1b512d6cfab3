import { createServer } from "node:net"
import { parseListen } from "../../config/listen-address.js"
import { messageOf } from "../../errors.js"
import { degraded, failing, ok } from "./check.js"
import type { Outcome } from "./check.js"

export interface PortCheck {
  /** In the configuration: "page.address". */
  readonly setting: string
  readonly address: string
  /** Nobody chose it, and another will do. */
  readonly isFlexible: boolean
  /** An analyzer runs with this state folder: it is expected to have the port. */
  readonly holder: number | undefined
}

/** Whether this process could listen there now. */
export async function port({ setting, address, isFlexible, holder }: PortCheck): Promise<Outcome> {
  if (address === "off") return ok("off")
  const where = parseListen(address)
  if (where === undefined || where.path !== "") return ok(address)
  const thrown = await tryToListen(where.host, where.port)
  if (thrown === undefined) return ok(`${address} is free`)
  if (thrown.code !== "EADDRINUSE")
    return failing(`cannot listen on ${address}: ${messageOf(thrown)}`, `Choose another with ${setting}.`)
  if (holder !== undefined) return ok(`${address} is in use, as expected while process ${holder} runs`)
  const text = `${address} is in use by another program`
  return isFlexible
    ? degraded(text, `Another port will be used; choose one with ${setting}.`)
    : failing(text, `Stop that program, or choose another with ${setting}.`)
}

function tryToListen(host: string, number: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once("error", resolve)
    server.listen({ host, port: number, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
