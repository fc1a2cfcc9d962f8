import type { Accumulator } from './accumulator.ts'

/** Named accumulators over the same batches. Methods of `Accumulator` are bivariant, so any of them fits. */
type Parts<Batch> = Readonly<Record<string, Accumulator<Batch, unknown, unknown>>>

type States<P extends Parts<never>> = { [Name in keyof P]: ReturnType<P[Name]['empty']> }
type Values<P extends Parts<never>> = { [Name in keyof P]: ReturnType<P[Name]['compute']> }

/** Several accumulators as one: its state and its value are records of theirs. */
export function combine<Batch, P extends Parts<Batch>>(parts: P): Accumulator<Batch, States<P>, Values<P>> {
  const names = Object.keys(parts)
  const each = (f: (part: P[string], name: string) => unknown): Record<string, unknown> =>
    Object.fromEntries(names.map((name) => [name, f(parts[name] as P[string], name)]))
  return {
    empty: () => each((part) => part.empty()) as States<P>,
    update(state, batch) {
      for (const name of names) (state as Record<string, unknown>)[name] = parts[name]!.update(state[name], batch)
      return state
    },
    merge: (a, b) => each((part, name) => part.merge(a[name], b[name])) as States<P>,
    compute: (state) => each((part, name) => part.compute(state[name])) as Values<P>,
    replicate: (state, random) => each((part, name) => part.replicate(state[name], random)) as States<P>,
  }
}

/** An accumulator whose batches are first turned into something else, once for all of its parts. */
export function prepared<Batch, Prepared, State, Value>(
  prepare: (batch: Batch) => Prepared,
  accumulator: Accumulator<Prepared, State, Value>,
): Accumulator<Batch, State, Value> {
  return { ...accumulator, update: (state, batch) => accumulator.update(state, prepare(batch)) }
}
