import { describe, expect, it } from "vitest"
import { driverOf } from "./driver.js"
import { noExchanges } from "../../testing/connections.js"

const led = (remoteLed: number, localLed: number, remoteLedAnswered = remoteLed, localLedAnswered = localLed) =>
  driverOf({ ...noExchanges, remoteLed, localLed, remoteLedAnswered, localLedAnswered })

describe("driverOf", () => {
  it.each([
    ["the far side asks", led(4, 0), "remote"],
    ["two thirds of the time", led(4, 2), "remote"],
    ["a little less", led(3, 2), "unclear"],
    ["this side asks", led(1, 9), "local"],
    ["three turns say nothing", led(0, 3), "unclear"],
    ["the far side only prints", led(9, 0, 4), "unclear"],
    ["half of it is answered", led(8, 0, 4), "remote"],
    ["this side only prints", led(0, 9, 0, 1), "unclear"],
    ["nothing was counted", driverOf(undefined), "unclear"],
  ])("%s", (_, driver, expected) => expect(driver).toBe(expected))
})
