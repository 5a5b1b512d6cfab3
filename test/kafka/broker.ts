import { spawn, spawnSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { makeCertificates } from "./certificates.js"
import type { Certificates } from "./certificates.js"

/** A broker of the tests signs these in, by PLAIN and by SCRAM. */
export const user = { name: "backflow", password: "s3cret of the tests" } as const

const readyMs = 60_000
/** Small heap and one compiler: ready in about 3 s, 200 MB. */
const javaFlags = [
  "-Xms128m",
  "-Xmx384m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-XX:MaxDirectMemorySize=128m",
]

/** A real Apache Kafka of one node in KRaft mode, on free ports of loopback and in a folder that goes with it. */
export class Broker {
  /** "127.0.0.1:PORT" without and with TLS; the latter wants a password. */
  readonly plain: string
  readonly secure: string
  readonly certificates: Certificates
  readonly #folder: string
  readonly #classPath: string
  #child: ChildProcess | undefined

  private constructor(classPath: string, folder: string, storage: string, ports: readonly number[]) {
    this.#classPath = classPath
    this.#folder = folder
    this.certificates = makeCertificates(folder)
    const [plain = 0, secure = 0, controller = 0] = ports
    this.plain = `127.0.0.1:${plain}`
    this.secure = `127.0.0.1:${secure}`
    writeFileSync(
      join(folder, "server.properties"),
      properties(storage, { plain, secure, controller }, this.certificates),
    )
    writeFileSync(join(folder, "log4j2.properties"), logging)
  }

  /** Formats its storage, which may be elsewhere, and starts it. Whoever calls this calls `remove`. */
  static async start(classPath: string, storage?: string): Promise<Broker> {
    const folder = mkdtempSync(join(tmpdir(), "backflow-kafka-"))
    const broker = new Broker(classPath, folder, storage ?? folder, await freePorts(3))
    try {
      broker.#format()
      await broker.start()
    } catch (thrown) {
      await broker.remove()
      throw thrown
    }
    return broker
  }

  /** Resolves once it serves, with the time that took in milliseconds. */
  async start(): Promise<number> {
    const before = performance.now()
    const child = spawn("java", [...this.#java(), "kafka.Kafka", join(this.#folder, "server.properties")], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    this.#child = child
    const lines: string[] = []
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => fail(`is not ready within ${readyMs} ms`), readyMs)
      const fail = (why: string) => {
        child.kill("SIGKILL")
        reject(new Error(`the broker ${why}:\n${lines.slice(-20).join("\n")}`))
      }
      createInterface({ input: child.stdout }).on("line", (line) => {
        lines.push(line)
        if (!line.includes("Kafka Server started")) return
        clearTimeout(late)
        resolve()
      })
      child.on("exit", () => {
        clearTimeout(late)
        fail("ended")
      })
    })
    return performance.now() - before
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(name)
  }

  /** As the machine that loses its power. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill("SIGKILL")
    await once(child, "exit")
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #java(): readonly string[] {
    return [
      ...javaFlags,
      `-Dlog4j2.configurationFile=${join(this.#folder, "log4j2.properties")}`,
      "-cp",
      this.#classPath,
    ]
  }

  #format(): void {
    const scram = ["256", "512"].flatMap((bits) => [
      "--add-scram",
      `SCRAM-SHA-${bits}=[name=${user.name},password="${user.password}"]`,
    ])
    const tool = [...this.#java(), "kafka.tools.StorageTool", "format", "-t", "5L6g3nShT-eMCtK--X86sw"]
    const { status, stdout, stderr } = spawnSync(
      "java",
      [...tool, "-c", join(this.#folder, "server.properties"), ...scram],
      { encoding: "utf8" },
    )
    if (status !== 0) throw new Error(`the broker's storage could not be formatted: ${stdout}${stderr}`)
  }
}

function properties(
  storage: string,
  ports: { readonly plain: number; readonly secure: number; readonly controller: number },
  { serverFile }: Certificates,
): string {
  const login = "org.apache.kafka.common.security"
  return `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${ports.controller}
controller.listener.names=CONTROLLER
listeners=PLAIN://127.0.0.1:${ports.plain},SECURE://127.0.0.1:${ports.secure},CONTROLLER://127.0.0.1:${ports.controller}
advertised.listeners=PLAIN://127.0.0.1:${ports.plain},SECURE://127.0.0.1:${ports.secure}
listener.security.protocol.map=PLAIN:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAIN
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location=${serverFile}
listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.secure.plain.sasl.jaas.config=${login}.plain.PlainLoginModule required user_${user.name}="${user.password}";
listener.name.secure.scram-sha-256.sasl.jaas.config=${login}.scram.ScramLoginModule required;
listener.name.secure.scram-sha-512.sasl.jaas.config=${login}.scram.ScramLoginModule required;
log.dirs=${join(storage, "log")}
auto.create.topics.enable=false
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
`
}

const logging = `
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %p %c{1} %m%n
`

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"))
  await Promise.all(servers.map((server) => once(server, "listening")))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), "close")))
  return ports
}
