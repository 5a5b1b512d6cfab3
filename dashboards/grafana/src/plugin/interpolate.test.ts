import { describe, expect, it } from "vitest"
import { interpolate } from "./interpolate.js"

const sql = "WHERE $__conditionalAll(host_id IN (${host:singlequote}), $host) AND age > ${age}"

describe("variables", () => {
  it.each([
    ["one value", { host: "a1", age: "600" }, "WHERE host_id IN ('a1') AND age > 600"],
    ["several values", { host: ["a1", "b2"], age: "600" }, "WHERE host_id IN ('a1','b2') AND age > 600"],
    ["All", { host: ["$__all"], age: "600" }, "WHERE 1=1 AND age > 600"],
    ["an empty text box", { host: "", age: "600" }, "WHERE 1=1 AND age > 600"],
    ["a quote", { host: "o'neill", age: "600" }, "WHERE host_id IN ('o\\'neill') AND age > 600"],
  ])("%s", (_, values, expected) => {
    expect(interpolate(sql, values)).toBe(expected)
  })

  it("are conditions within conditions", () => {
    const nested = "$__conditionalAll(a = ${a:singlequote} AND $__conditionalAll(b = f(${b:singlequote}, 1), $b), $a)"
    expect(interpolate(nested, { a: "x", b: "$__all" })).toBe("a = 'x' AND 1=1")
    expect(interpolate(nested, { a: "x", b: "y" })).toBe("a = 'x' AND b = f('y', 1)")
  })

  it("must have a value", () => {
    expect(() => interpolate("${host:singlequote}", {})).toThrow("no variable for ${host:singlequote}")
  })

  it("stand bare in a condition, as the plugin wants them", () => {
    expect(() => interpolate("$__conditionalAll(a = 1, ${host:singlequote})", { host: "a" })).toThrow("bare variable")
  })
})
