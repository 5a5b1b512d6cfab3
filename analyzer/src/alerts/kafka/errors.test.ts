import kafkajs from "kafkajs"
import { describe, expect, it } from "vitest"
import { AlertSinkError, AlertsRefused } from "../publish/alert-sink.js"
import { kafkaFailure } from "./errors.js"

/** As kafkajs throws it: the broker's error, wrapped by the retrier's. */
function wrapped(inner: object, name = "KafkaJSNumberOfRetriesExceeded"): Error {
  return Object.assign(new Error("gave up"), { name, retriable: false, cause: inner })
}

const failure = (name: string, message: string, changes: object = {}) =>
  Object.assign(new Error(message), { name, ...changes })

describe("what kafkajs rejects with", () => {
  it.each(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"])("is a refusal when it is %s", (type) => {
    const refused = kafkaFailure(wrapped(failure("KafkaJSProtocolError", "too large", { type })), "t")
    expect(refused).toBeInstanceOf(AlertsRefused)
    expect((refused as AlertsRefused).refusals).toBeUndefined()
  })

  it.each<[string, object, RegExp]>([
    ["a missing topic", failure("KafkaJSProtocolError", "x", { type: "UNKNOWN_TOPIC_OR_PARTITION" }), /topics ensure/],
    ["a topic without a right", failure("KafkaJSProtocolError", "x", { type: "TOPIC_AUTHORIZATION_FAILED" }), /WRITE/],
    [
      "a mechanism",
      failure("KafkaJSSASLAuthenticationError", "SASL X mechanism is not supported by the server"),
      /sasl\.mechanism/,
    ],
    [
      "a password",
      failure("KafkaJSSASLAuthenticationError", "invalid credentials with SASL mechanism X"),
      /password_file/,
    ],
    ["silence", failure("KafkaJSRequestTimeoutError", "x"), /timeout/],
    ["a closed port", failure("KafkaJSConnectionError", "connect ECONNREFUSED 127.0.0.1:1"), /no broker.*ECONNREFUSED/],
    ["a certificate", failure("KafkaJSConnectionError", "self-signed certificate"), /ca_file/],
    ["a full disk", failure("KafkaJSProtocolError", "x", { type: "KAFKA_STORAGE_ERROR" }), /disk/],
    ["anything else", failure("Error", "out of luck"), /^out of luck$/],
  ])("is retried, with a text for people, for %s", (_what, inner, words) => {
    const found = kafkaFailure(wrapped(inner), "t")
    expect(found).toBeInstanceOf(AlertSinkError)
    expect(found.message).toMatch(words)
  })

  it("is read alike from an error of kafkajs itself", () => {
    const closed = new kafkajs.KafkaJSConnectionError("connect ECONNREFUSED 10.0.0.1:9092", { broker: "10.0.0.1:9092" })
    expect(kafkaFailure(closed, "t").message).toBe("no broker is reachable: connect ECONNREFUSED 10.0.0.1:9092")
  })
})
