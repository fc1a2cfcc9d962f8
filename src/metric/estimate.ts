import type { Average, MetricValue } from './accumulator.ts'

/** A value with what its interval is made from. */
export interface Estimate extends MetricValue {
  /** For a share of samples that were counted one by one: how many of how many. Absent for anything else. */
  readonly proportion?: Proportion | undefined
}

/** A value that is a share of samples, or a rising function of one. */
export interface Proportion {
  readonly successes: number
  readonly trials: number
  /** What the value is of the share; the share itself by default. */
  readonly of?: ((share: number) => number) | undefined
}

/** A value with the reason where it has none; the reason is only worked out where it is needed. */
export function entry(
  name: string,
  average: Average | null,
  className: string | null,
  value: number | null,
  reason: () => string,
  more: { readonly proportion?: Proportion | undefined; readonly binningError?: number | null } = {},
): Estimate {
  return {
    name,
    average,
    class: className,
    value,
    reason: value === null ? reason() : null,
    interval: null,
    binningError: value === null ? null : (more.binningError ?? null),
    proportion: more.proportion,
  }
}
