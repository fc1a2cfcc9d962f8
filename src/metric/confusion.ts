import { AppError } from '../error.ts'
import { forEachCell, type ClassCounts } from './class-counts.ts'
import type { LabelCounts } from './label-counts.ts'

/** A confusion matrix. */
export type Confusion =
  | {
      /** BINARY and MULTICLASS: which class was taken for which. */
      readonly kind: 'CLASSES'
      readonly classes: readonly string[]
      /** [true class, predicted class, samples] by index into `classes`, ordered, without the zeros. */
      readonly cells: readonly (readonly [row: number, column: number, count: number])[]
    }
  | {
      /** MULTILABEL: a matrix of each label, as sklearn's multilabel_confusion_matrix. */
      readonly kind: 'LABELS'
      readonly classes: readonly string[]
      /** [[true negatives, false positives], [false negatives, true positives]] of each label. */
      readonly counts: readonly (readonly [readonly [number, number], readonly [number, number]])[]
    }

/** The matrix of one-class-a-sample counts. */
export function classConfusion({ cells }: ClassCounts, classes: readonly string[]): Confusion {
  const ordered: (readonly [row: number, column: number, count: number])[] = []
  forEachCell(cells, (row, column, count) => ordered.push([row, column, count]))
  return { kind: 'CLASSES', classes, cells: ordered }
}

/** The matrices of labels. */
export function labelConfusion({ asked, hits, predicted, actual }: LabelCounts, classes: readonly string[]): Confusion {
  const counts = hits.map((hit, k) => {
    const [chosen, is] = [predicted[k]!, actual[k]!]
    return [
      [asked[k]! - chosen - is + hit, chosen - hit],
      [is - hit, hit],
    ] as const
  })
  return { kind: 'LABELS', classes, counts }
}

/**
 * All cells of a matrix of classes, rows true, columns predicted, as sklearn's confusion_matrix.
 * @throws AppError LIMIT_EXCEEDED for more classes than `maxClasses`: the cells are their square.
 */
export function denseConfusion(confusion: Extract<Confusion, { kind: 'CLASSES' }>, maxClasses = 2000): number[][] {
  const size = confusion.classes.length
  if (size > maxClasses)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `a confusion matrix of ${size} classes has ${size * size} cells; ${maxClasses} classes are the limit, read the non-zero cells instead`,
    )
  const rows = Array.from({ length: size }, () => new Array<number>(size).fill(0))
  for (const [row, column, count] of confusion.cells) rows[row]![column] = count
  return rows
}
