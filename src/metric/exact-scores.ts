import type { Accumulator } from './accumulator.ts'
import { rankingBuilder, type Ranking } from './ranking.ts'
import { IGNORED } from './score-batch.ts'
import { truthOf } from './score-histogram.ts'
import type { ScoredBatch } from './scored-batch.ts'

/** Every score of a run, as long as there are not too many. */
export type ExactScores = {
  samples: number
  /** samples × columns probabilities; null when there were more than `MOST_SCORES`. */
  scores: number[] | null
  readonly targets: number[]
  readonly weights: number[]
}

/**
 * Scores up to which rankings are exact: 2 MiB of numbers in memory, 5 MiB as JSON. Whether a run has more depends on its samples
 * alone, not on batches, shards or order; beyond, bins tell, with a bound of their error.
 */
export const MOST_SCORES = 2 ** 18

/** Keeps scores until there are too many. */
export function exactScores(columns: number): Accumulator<ScoredBatch, ExactScores, ExactScores> {
  const fits = (samples: number): boolean => samples * columns <= MOST_SCORES
  const tooMany = (samples: number): ExactScores => ({ samples, scores: null, targets: [], weights: [] })
  return {
    empty: () => ({ samples: 0, scores: [], targets: [], weights: [] }),
    update(state, { n, targets, probabilities, weights }) {
      state.samples += n
      if (state.scores === null) return state
      if (!fits(state.samples)) return tooMany(state.samples)
      for (const probability of probabilities) state.scores.push(probability)
      for (const target of targets) state.targets.push(target)
      for (const weight of weights) state.weights.push(weight)
      return state
    },
    merge(a, b) {
      const samples = a.samples + b.samples
      if (a.scores === null || b.scores === null || !fits(samples)) return tooMany(samples)
      return {
        samples,
        scores: [...a.scores, ...b.scores],
        targets: [...a.targets, ...b.targets],
        weights: [...a.weights, ...b.weights],
      }
    },
    compute: (state) => state,
    // Bins are drawn again instead.
    replicate: () => tooMany(0),
  }
}

/** The rankings of the columns; null when scores were too many to be kept, or one of them is no number. */
export function exactRankings(state: ExactScores, columns: number, costRatio: number): Ranking[] | null {
  const { samples, scores, weights } = state
  if (scores === null || scores.some((score) => Number.isNaN(score))) return null
  const targets = Int32Array.from(state.targets)
  const perSample = targets.length / samples
  return Array.from({ length: columns }, (_, k) => {
    const own: Judged[] = []
    for (let i = 0; i < samples; i++)
      if (perSample === 1 || targets[i * columns + k] !== IGNORED)
        own.push({
          score: scores[i * columns + k]!,
          weight: weights[i]!,
          positive: truthOf(targets, i, k, perSample, columns),
        })
    return rank(own, costRatio)
  })
}

interface Judged {
  readonly score: number
  readonly weight: number
  readonly positive: boolean
}

function rank(samples: Judged[], costRatio: number): Ranking {
  // Equal scores by weight, so that sums do not depend on the order in which samples came.
  samples.sort((a, b) => b.score - a.score || a.weight - b.weight)
  const total = (positive: boolean): number =>
    samples.reduce((sum, sample) => sum + (sample.positive === positive ? sample.weight : 0), 0)
  const builder = rankingBuilder(total(true), total(false), costRatio, false)
  for (let i = 0; i < samples.length;) {
    const { score } = samples[i]!
    let [negative, positive] = [0, 0]
    for (; i < samples.length && samples[i]!.score === score; i++)
      if (samples[i]!.positive) positive += samples[i]!.weight
      else negative += samples[i]!.weight
    builder.add(score, negative, positive)
  }
  return builder.finish()
}
