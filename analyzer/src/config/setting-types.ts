import { resolve } from "node:path"
import { z } from "zod"

/** Bytes. */
export const gibibyte = 1_073_741_824

/** A file or folder; absolute once it is read. */
export const path = z
  .string()
  .min(1, { error: "is empty: give a path" })
  .overwrite((name) => resolve(name))

export const name = z.string().min(1, { error: "is empty" })

export const integerBetween = (min: number, max: number) =>
  z
    .int({ error: "must be a whole number" })
    .min(min, { error: `must be at least ${min}` })
    .max(max, { error: `must be at most ${max}` })

/** The schema with what holds where nobody gives a value: the default, its unit, and why it is so. */
export function withDefault<Schema extends z.ZodType>(
  schema: Schema,
  value: z.input<Schema>,
  unit: string,
  reason: string,
): z.ZodPrefault<Schema> {
  return z.prefault(schema, value).meta({ unit, reason })
}
