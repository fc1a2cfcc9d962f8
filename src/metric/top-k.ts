import type { Accumulator } from './accumulator.ts'
import { addCounts } from './class-counts.ts'
import { entry, type Estimate } from './estimate.ts'
import { redraw, weightScale } from './random.ts'
import type { ScoredBatch } from './scored-batch.ts'

/** In how many samples the true class was among the first k, for each k that was asked for. */
export type TopCounts = {
  weight: number
  squares: number
  /** Weights of samples whose true class is first found by the k of this place; the last place counts those that no k finds. */
  readonly found: number[]
}

/** Counts where true classes come. `ks` ascend. */
export function topCounts(ks: readonly number[]): Accumulator<ScoredBatch, TopCounts, TopCounts> {
  return {
    empty: () => ({ weight: 0, squares: 0, found: new Array<number>(ks.length + 1).fill(0) }),
    update(state, { n, ranks, weights }) {
      for (let i = 0; i < n; i++) {
        let place = 0
        while (place < ks.length && ranks[i]! >= ks[place]!) place++
        state.found[place]! += weights[i]!
        state.weight += weights[i]!
        state.squares += weights[i]! ** 2
      }
      return state
    },
    merge: (a, b) => ({
      weight: a.weight + b.weight,
      squares: a.squares + b.squares,
      found: addCounts(a.found, b.found),
    }),
    compute: (state) => state,
    replicate(state, random) {
      const scale = weightScale(state.weight, state.squares)
      const found = state.found.map((weight) => redraw(weight, scale, random))
      return { weight: found.reduce((sum, weight) => sum + weight, 0), squares: 0, found }
    },
  }
}

/** top2Accuracy and so on, as scikit-learn's top_k_accuracy_score: of equal logits the last class comes first. */
export function topAccuracies({ weight, squares, found }: TopCounts, ks: readonly number[]): Estimate[] {
  let hits = 0
  return ks.map((k, place) => {
    hits += found[place]!
    return entry(`top${k}Accuracy`, null, null, weight === 0 ? null : hits / weight, () => 'there are no samples', {
      proportion: weight === squares ? { successes: hits, trials: weight } : undefined,
    })
  })
}
