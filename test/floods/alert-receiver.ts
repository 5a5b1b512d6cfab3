import { once } from "node:events"
import { createServer } from "node:http"
import type { IncomingMessage, Server } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as pause } from "node:timers/promises"
import type { LabFinding } from "../lab/watch.js"

/** What a receiver of alerts takes for each: a chat or a ticket system over the internet. */
const responseMs = 200

export interface ReceivedAlert {
  readonly finding: LabFinding
  /** Wall clock, microseconds. */
  readonly atUs: number
}

/** A webhook that takes its time, and keeps what it was sent. */
export class AlertReceiver {
  readonly #server: Server
  readonly alerts: ReceivedAlert[] = []

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#take(request).then(() => response.writeHead(204).end())
    })
  }

  static async start(): Promise<AlertReceiver> {
    const receiver = new AlertReceiver()
    receiver.#server.listen(0, "127.0.0.1")
    await once(receiver.#server, "listening")
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #take(request: IncomingMessage): Promise<void> {
    let text = ""
    request.setEncoding("utf8")
    for await (const chunk of request) text += String(chunk)
    await pause(responseMs)
    this.alerts.push({ finding: JSON.parse(text) as LabFinding, atUs: Date.now() * 1_000 })
  }
}
