import type { Dimension } from '../architecture/index.ts'
import type { Shape } from '../tensor/index.ts'

/** Whether samples of a shape fit dimensions, of which those with a name are of any size. */
export const matches = (expected: readonly Dimension[], found: Shape): boolean =>
  expected.length === found.length && expected.every((size, axis) => typeof size === 'string' || size === found[axis])

/** A shape for people. */
export const show = (shape: readonly Dimension[]): string => `[${shape.join(', ')}]`

/** A shape without its dimensions of size 1. */
export const withoutOnes = (shape: Shape): Shape => shape.filter((size) => size !== 1)
