import type { Driver } from "@backflow/page/contract"
import type { Exchanges } from "../../domain/connection.js"

/** Fewer exchanges than this say nothing: a greeting and a login take two or three. */
const minExchanges = 4
/** Share of exchanges that one side must have begun. */
const clearShare = 2 / 3
/** Share of them that the other side must have answered: one that only prints drives nobody. */
const answeredShare = 1 / 2

/**
 * Who drives a connection, by who begins its exchanges (speaks first after a silence) and is answered. A client asks: "local".
 * In "remote" the far side asks and this host answers, as it is when a connection that was opened from inside is used to
 * come in. For a person to look at, and looser than what the detectors call inverted, which weighs reply times too.
 */
export function driverOf(exchanges: Exchanges | undefined): Driver {
  if (exchanges === undefined) return "unclear"
  const { remoteLed, remoteLedAnswered, localLed, localLedAnswered } = exchanges
  const all = remoteLed + localLed
  if (all < minExchanges) return "unclear"
  if (remoteLed >= all * clearShare) return remoteLedAnswered >= remoteLed * answeredShare ? "remote" : "unclear"
  if (localLed >= all * clearShare) return localLedAnswered >= localLed * answeredShare ? "local" : "unclear"
  return "unclear"
}
