import kafkajs from "kafkajs"
import type { Admin } from "kafkajs"
import { kafkaFailure } from "../alerts/kafka/errors.js"
import { kafkaClient } from "../alerts/kafka/connection.js"
import type { Config } from "../config/load.js"
import { AppError } from "../errors.js"
import type { Arguments } from "./cli/arguments.js"
import { usage } from "./cli/arguments.js"
import { exitCodes } from "./cli/exit-codes.js"
import type { Terminal } from "./cli/terminal.js"

/** The settings that the topic of alerts should have. */
interface Wanted {
  readonly topic: string
  readonly partitions: number
  readonly replication: number
  readonly minInsync: number
}

const defaults = { partitions: 6, replication: 3, "min-insync": 2 } as const

/** The newest state of each finding stays, also beyond the retention time of the log. */
const cleanup = "compact,delete"

/**
 * `backflow topics ensure`: creates the topic of alerts, or shows how an existing one differs. Nothing that exists is
 * changed: more partitions would part the versions of a finding, and the rest is for the cluster's owner to decide.
 */
export async function topicsCommand(args: Arguments, config: Config, terminal: Terminal): Promise<number> {
  const [operand] = args.operands
  if (operand !== "ensure") throw usage(args.command, "backflow topics takes ensure.")
  const { kafka } = config.alerts
  if (kafka === undefined) {
    throw new AppError(
      "config",
      "No Kafka cluster is configured.",
      "Set alerts.kafka.brokers, or give --kafka HOST:PORT.",
    )
  }
  const wanted: Wanted = {
    topic: kafka.topic,
    partitions: integerOf(args, "partitions"),
    replication: integerOf(args, "replication"),
    minInsync: integerOf(args, "min-insync"),
  }
  if (wanted.minInsync > wanted.replication) {
    throw usage(
      args.command,
      `--min-insync ${wanted.minInsync} can never be met by --replication ${wanted.replication}.`,
    )
  }
  const silent = () => undefined
  const admin = kafkaClient(kafka, { debug: silent, info: silent, warn: silent, error: silent }).admin()
  try {
    await admin.connect()
    return await ensure(admin, wanted, args.switches.has("dry-run"), terminal)
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown
    terminal.note(`backflow: ${kafka.brokers.join(", ")}: ${kafkaFailure(thrown, kafka.topic).message}`)
    return exitCodes.failed.code
  } finally {
    await admin.disconnect().catch(silent)
  }
}

async function ensure(admin: Admin, wanted: Wanted, isDry: boolean, terminal: Terminal): Promise<number> {
  const { topic, partitions, replication, minInsync } = wanted
  const settings = `${partitions} partitions, ${replication} replicas, min.insync.replicas=${minInsync}, cleanup.policy=${cleanup}`
  if ((await admin.listTopics()).includes(topic)) {
    const differences = await differencesOf(admin, wanted)
    if (differences.length === 0) {
      terminal.out(`The topic ${topic} exists and matches.\n`)
      return exitCodes.ok.code
    }
    terminal.out(`The topic ${topic} exists and differs; nothing was changed:\n`)
    for (const difference of differences) terminal.out(`  ${difference}\n`)
    return exitCodes.failed.code
  }
  const { brokers } = await admin.describeCluster()
  if (brokers.length < replication) {
    terminal.note(
      `backflow: ${replication} replicas need ${replication} brokers, and the cluster has ${brokers.length}.\n` +
        `Give --replication ${brokers.length}${minInsync > brokers.length ? ` --min-insync ${brokers.length}` : ""}, or start more brokers.`,
    )
    return exitCodes.failed.code
  }
  if (isDry) {
    terminal.out(`The topic ${topic} is missing, and would be created with ${settings}.\n`)
    return exitCodes.ok.code
  }
  await create(admin, wanted)
  terminal.out(`Created the topic ${topic} with ${settings}.\n`)
  return exitCodes.ok.code
}

async function create(admin: Admin, { topic, partitions, replication, minInsync }: Wanted): Promise<void> {
  const configEntries = [
    { name: "cleanup.policy", value: cleanup },
    { name: "min.insync.replicas", value: String(minInsync) },
  ]
  await admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic, numPartitions: partitions, replicationFactor: replication, configEntries }],
  })
}

async function differencesOf(admin: Admin, wanted: Wanted): Promise<readonly string[]> {
  const { topic, partitions, replication, minInsync } = wanted
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
  })
  const found = topics[0]?.partitions ?? []
  const replicas = Math.min(...found.map((partition) => partition.replicas.length))
  const setting = (name: string) => resources[0]?.configEntries.find((entry) => entry.configName === name)?.configValue
  const policy = (setting("cleanup.policy") ?? "").split(",").sort().join(",")
  const insync = Number(setting("min.insync.replicas") ?? 1)
  return [
    found.length < partitions
      ? `${found.length} partitions, not ${partitions}. More can be added while nothing is published: kafka-topics --alter --partitions ${partitions}`
      : "",
    replicas < replication
      ? `${replicas} replicas, not ${replication}: kafka-reassign-partitions moves it to more brokers`
      : "",
    policy === cleanup
      ? ""
      : `cleanup.policy=${policy}, not ${cleanup}: kafka-configs --alter --add-config cleanup.policy=[${cleanup}]`,
    insync < minInsync
      ? `min.insync.replicas=${insync}, not ${minInsync}: kafka-configs --alter --add-config min.insync.replicas=${minInsync}`
      : "",
  ].filter((difference) => difference !== "")
}

function integerOf(args: Arguments, name: keyof typeof defaults): number {
  const text = args.values[name]
  if (text === undefined) return defaults[name]
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  throw usage(args.command, `--${name} takes a whole number from 1, not "${text}".`)
}
