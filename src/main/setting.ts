import { z } from 'zod'

/** One setting: where its value comes from (the flag first, then the variables in order), and what it may be. */
export interface Setting<Value> {
  /** Environment variables, the first that is set and not empty counts. */
  readonly env: readonly string[]
  /** Option of `start`, `api` and `worker` as commander writes it; none for secrets, which other users could read. */
  readonly flag?: string
  /** What `--help` and docs/settings.md say. */
  readonly description: string
  /** The default, for people, where the value says too little. */
  readonly defaultText?: string
  /** From the text that was given. */
  readonly schema: z.ZodType<Value, string>
  readonly fallback: Value
}

/** Gives a setting its type. */
export const setting = <Value>(definition: Setting<Value>): Setting<Value> => definition

/** A whole number in a range. */
export const wholeNumber = (min: number, max: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d+$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max)
    .describe(`a whole number from ${min} to ${max}`)

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }
/** A number of bytes, from 1, with or without a unit. */
export const byteCount: z.ZodType<number, string> = z
  .string()
  .regex(/^\d{1,15}(KiB|MiB|GiB|TiB)?$/)
  .transform((text) => Number.parseInt(text, 10) * UNITS[text.replace(/^\d+/, '')]!)
  .refine((bytes) => bytes >= 1 && Number.isSafeInteger(bytes))
  .describe('bytes, or KiB, MiB, GiB, TiB: 1073741824 or 1GiB')
