import { z } from 'zod'

// The text of each schema says what was expected; graph-from-layers adds where, and what was found.
const MAX = 2 ** 31 - 1

/** A size: at least 1. */
export const size = z.int('a positive whole number').min(1, 'a positive whole number').max(MAX, `at most ${MAX}`)

/** A whole number from 0. */
export const count = z.int('a whole number from 0').min(0, 'a whole number from 0').max(MAX, `at most ${MAX}`)

/** An axis, counted from the start or, below 0, from the end. */
export const axis = z.int('a whole number').min(-16, 'an axis from -16').max(16, 'an axis up to 16')

export const flag = z.boolean('true or false')

export const number = z.number('a number')

/** An argument that changes nothing at evaluation: any value of its kind will do. */
export const inplace = flag.default(false)

/** One number for each of `dimensions`, or one for all of them, as torch's `_ntuple`. */
export function tuple(dimensions: 1 | 2, element: z.ZodInt = size) {
  const text = dimensions === 1 ? 'a whole number or a list of one' : 'a whole number or a list of two'
  return z
    .union([element, z.array(element).length(dimensions)], {
      error: `${text}${element === size ? ', positive' : ', from 0'}`,
    })
    .transform((value): readonly number[] => (Array.isArray(value) ? value : new Array<number>(dimensions).fill(value)))
}

/** An argument that has to be left as it is: another value is refused with this text. */
export const only = <T extends boolean | string | null>(value: T, error: string) =>
  z.literal(value, { error }).default(value as never)
