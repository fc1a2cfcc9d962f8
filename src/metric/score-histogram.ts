import type { Accumulator } from './accumulator.ts'
import { addCounts } from './class-counts.ts'
import { redraw, weightScale } from './random.ts'
import { rankingBuilder, type Ranking } from './ranking.ts'
import { scoreBins } from './score-bins.ts'
import { IGNORED } from './score-batch.ts'
import type { ScoredBatch } from './scored-batch.ts'

/** How often each class got which score: what curves are drawn from. */
export type ScoreCounts = {
  samples: number
  /** Samples whose logits gave no probability: they are in no bin. */
  undefined: number
  /** Σ of weights and of their squares. */
  weight: number
  squares: number
  /** Column after column, `scoreBins(columns).count` of each: weights of samples that have the class, and that have it not. */
  readonly positives: number[]
  readonly negatives: number[]
}

/** Counts the scores of each column in bins. */
export function scoreHistogram(columns: number): Accumulator<ScoredBatch, ScoreCounts, ScoreCounts> {
  const bins = scoreBins(columns)
  const zeros = (): number[] => new Array<number>(columns * bins.count).fill(0)
  const empty = (): ScoreCounts => ({
    ...{ samples: 0, undefined: 0, weight: 0, squares: 0 },
    ...{ positives: zeros(), negatives: zeros() },
  })
  return {
    empty,
    update(state, { n, targets, probabilities, weights, losses }) {
      const { positives, negatives } = state
      const perSample = targets.length / n
      for (let i = 0; i < n; i++) {
        if (Number.isNaN(losses[i])) {
          state.undefined++
          continue
        }
        const weight = weights[i]!
        state.weight += weight
        state.squares += weight * weight
        for (let k = 0, at = i * columns; k < columns; k++, at++) {
          const bin = k * bins.count + bins.of(probabilities[at]!)
          if (truthOf(targets, i, k, perSample, columns)) positives[bin]! += weight
          else if (perSample === 1 || targets[at] !== IGNORED) negatives[bin]! += weight
        }
      }
      state.samples += n
      return state
    },
    merge: (a, b) => ({
      samples: a.samples + b.samples,
      undefined: a.undefined + b.undefined,
      weight: a.weight + b.weight,
      squares: a.squares + b.squares,
      positives: addCounts(a.positives, b.positives),
      negatives: addCounts(a.negatives, b.negatives),
    }),
    compute: (state) => state,
    replicate(state, random) {
      const scale = weightScale(state.weight, state.squares)
      const redrawn = (counts: readonly number[]): number[] => {
        const drawn = zeros()
        // Most bins of many classes are empty.
        for (let bin = 0; bin < counts.length; bin++)
          if (counts[bin] !== 0) drawn[bin] = redraw(counts[bin]!, scale, random)
        return drawn
      }
      return { ...state, positives: redrawn(state.positives), negatives: redrawn(state.negatives) }
    },
  }
}

/** Whether a sample has the class of a column. One target a sample: a class, or for one column yes or no. */
export function truthOf(targets: Int32Array, i: number, k: number, perSample: number, columns: number): boolean {
  if (perSample > 1) return targets[i * perSample + k] === 1
  return columns === 1 ? targets[i] === 1 : targets[i] === k
}

/** What the bins say of each column. */
export function binnedRankings({ positives, negatives }: ScoreCounts, columns: number, costRatio: number): Ranking[] {
  const { count, edges } = scoreBins(columns)
  return Array.from({ length: columns }, (_, column) => {
    const from = column * count
    const [p, n] = [sum(positives, from, from + count), sum(negatives, from, from + count)]
    const builder = rankingBuilder(p, n, costRatio, true)
    for (let bin = count - 1; bin >= 0; bin--) {
      const [negative, positive] = [negatives[from + bin]!, positives[from + bin]!]
      if (negative > 0 || positive > 0) builder.add(edges[bin]!, negative, positive)
    }
    return builder.finish()
  })
}

function sum(values: readonly number[], from: number, end: number): number {
  let total = 0
  for (let i = from; i < end; i++) total += values[i]!
  return total
}
