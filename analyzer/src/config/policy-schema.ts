import { z } from "zod"
import { parseDestination } from "../policy/destination.js"
import { integerBetween } from "./setting-types.js"
import { findingClasses } from "../domain/finding-classes.js"

/** "203.0.113.9:443", "[2001:db8::1]:443", or a network with or without a port. */
const destination = z.string().refine((text) => parseDestination(text) !== undefined, {
  error:
    "is no destination: write a network (203.0.113.0/24), an address, or either with a port (203.0.113.9:443, [2001:db8::1]:443)",
})

const identity = z
  .strictObject({
    exe: z.string().min(1).optional(),
    uid: integerBetween(0, 4_294_967_295).optional(),
    container: z.string().min(1).optional(),
    argv: z.string().min(1).optional(),
    ancestor: z.string().min(1).optional(),
  })
  .refine((value) => Object.values(value).some((part) => part !== undefined), {
    error: "names nobody: give at least one of exe, uid, container, argv, ancestor",
  })

const rule = z.strictObject({
  destination,
  identity: identity.optional(),
  classes: z.array(z.enum(findingClasses)).min(1).optional(),
  reason: z.string().min(1, { error: "is empty: say why, for the next person who reads this" }),
})

export const policy = z.strictObject({
  denied: z.array(rule).default([]),
  approved: z.array(rule).default([]),
  suppressed: z.array(rule).default([]),
})
