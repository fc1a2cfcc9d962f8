import { invariant } from '../error.ts'
import type { Accumulator } from './accumulator.ts'
import type { ScoredBatch } from './scored-batch.ts'

/** Counts of one-class-a-sample predictions. Whole numbers only: any order of merging gives the same ones. */
export type ClassCounts = {
  samples: number
  /** Of each class: samples that have it and were predicted so, that were predicted so, that have it. */
  readonly hits: number[]
  readonly predicted: number[]
  readonly actual: number[]
  /** True class → predicted class → samples; only what occurred, so that 10,000 classes do not cost 10^8 cells. */
  readonly cells: Record<number, Record<number, number>>
}

/** Counts BINARY and MULTICLASS predictions. The state has at most min(samples, classes²) cells. */
export function classCounts(classes: number): Accumulator<ScoredBatch, ClassCounts, ClassCounts> {
  const zeros = (): number[] => new Array<number>(classes).fill(0)
  return {
    empty: () => ({ samples: 0, hits: zeros(), predicted: zeros(), actual: zeros(), cells: {} }),
    update(state, { n, targets, predicted }) {
      for (let i = 0; i < n; i++) {
        const truth = targets[i]!
        const choice = predicted[i]!
        state.actual[truth]!++
        state.predicted[choice]!++
        if (truth === choice) state.hits[truth]!++
        addCell(state.cells, truth, choice, 1)
      }
      state.samples += n
      return state
    },
    merge(a, b) {
      const cells: ClassCounts['cells'] = {}
      for (const state of [a, b])
        for (const [row, columns] of Object.entries(state.cells))
          for (const [column, count] of Object.entries(columns)) addCell(cells, Number(row), Number(column), count)
      return {
        samples: a.samples + b.samples,
        hits: addCounts(a.hits, b.hits),
        predicted: addCounts(a.predicted, b.predicted),
        actual: addCounts(a.actual, b.actual),
        cells,
      }
    },
    compute: (state) => state,
  }
}

function addCell(cells: ClassCounts['cells'], row: number, column: number, count: number): void {
  const columns = (cells[row] ??= {})
  columns[column] = (columns[column] ?? 0) + count
}

/** Element by element. */
export function addCounts(a: readonly number[], b: readonly number[]): number[] {
  invariant(a.length === b.length, `states of ${a.length} and ${b.length} classes cannot be merged`)
  return a.map((count, i) => count + b[i]!)
}
