import { invariant } from '../error.ts'
import type { Accumulator } from './accumulator.ts'
import { redraw, weightScale } from './random.ts'
import type { ScoredBatch } from './scored-batch.ts'

/** True class → predicted class → a count or a weight; only what occurred, so that 10,000 classes do not cost 10^8 cells. */
export type Cells = Record<number, Record<number, number>>

/** Counts of one-class-a-sample predictions. Without weights whole numbers only: any order of merging gives the same ones. */
export type ClassCounts = {
  samples: number
  /** Σ of the weights: the number of samples where all are 1. */
  weight: number
  /** Of each class, in weights: samples that have it and were predicted so, that were predicted so, that have it. */
  readonly hits: number[]
  readonly predicted: number[]
  readonly actual: number[]
  readonly cells: Cells
  /** Σ of the squared weights of each cell; null while every weight was 1. */
  squares: Cells | null
}

/** Counts BINARY and MULTICLASS predictions. The state has at most min(samples, classes²) cells. */
export function classCounts(classes: number): Accumulator<ScoredBatch, ClassCounts, ClassCounts> {
  const zeros = (): number[] => new Array<number>(classes).fill(0)
  const empty = (): ClassCounts => ({
    ...{ samples: 0, weight: 0, hits: zeros(), predicted: zeros(), actual: zeros() },
    ...{ cells: {}, squares: null },
  })
  return {
    empty,
    update(state, { n, targets, predicted, weights }) {
      for (let i = 0; i < n; i++) {
        const weight = weights[i]!
        if (weight !== 1) state.squares ??= structuredClone(state.cells)
        count(state, targets[i]!, predicted[i]!, weight)
        if (state.squares !== null) addCell(state.squares, targets[i]!, predicted[i]!, weight * weight)
      }
      state.samples += n
      return state
    },
    merge(a, b) {
      const weighted = a.squares !== null || b.squares !== null
      return {
        samples: a.samples + b.samples,
        weight: a.weight + b.weight,
        hits: addCounts(a.hits, b.hits),
        predicted: addCounts(a.predicted, b.predicted),
        actual: addCounts(a.actual, b.actual),
        cells: mergeCells(a.cells, b.cells),
        squares: weighted ? mergeCells(a.squares ?? a.cells, b.squares ?? b.cells) : null,
      }
    },
    compute: (state) => state,
    replicate(state, random) {
      const drawn = empty()
      forEachCell(state.cells, (truth, choice, weight) => {
        const scale = weightScale(weight, state.squares?.[truth]?.[choice] ?? weight)
        count(drawn, truth, choice, redraw(weight, scale, random))
      })
      drawn.samples = drawn.weight
      return drawn
    },
  }
}

/** Counts samples of one true and one predicted class; all but their number, which may be no whole one. */
export function count(state: ClassCounts, truth: number, choice: number, weight: number): void {
  state.actual[truth]! += weight
  state.predicted[choice]! += weight
  if (truth === choice) state.hits[truth]! += weight
  state.weight += weight
  addCell(state.cells, truth, choice, weight)
}

function addCell(cells: Cells, row: number, column: number, count: number): void {
  const columns = (cells[row] ??= {})
  columns[column] = (columns[column] ?? 0) + count
}

function mergeCells(a: Cells, b: Cells): Cells {
  const merged: Cells = {}
  for (const cells of [a, b]) forEachCell(cells, (row, column, count) => addCell(merged, row, column, count))
  return merged
}

/** In ascending order: keys of an object that are array indices come so (ECMA-262, OrdinaryOwnPropertyKeys). */
export function forEachCell(cells: Cells, visit: (row: number, column: number, count: number) => void): void {
  for (const [row, columns] of Object.entries(cells))
    for (const [column, count] of Object.entries(columns)) visit(Number(row), Number(column), count)
}

/** Element by element. */
export function addCounts(a: readonly number[], b: readonly number[]): number[] {
  invariant(a.length === b.length, `states of ${a.length} and ${b.length} classes cannot be merged`)
  return a.map((count, i) => count + b[i]!)
}
