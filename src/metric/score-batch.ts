import { AppError } from '../error.ts'
import type { Task } from './accumulator.ts'
import { checkLengths, rowAt, type LogitsBatch } from './logits-batch.ts'
import { hashRow } from './random.ts'
import { clippedLoss, firstOf, scratch, type ScoredBatch } from './scored-batch.ts'

/** Turns logits into choices, probabilities and losses. The result is valid until the next call. */
export type Scorer = (batch: LogitsBatch) => ScoredBatch

/** Tasks whose targets are classes. */
export type ClassificationTask = Exclude<Task, 'REGRESSION'>

/** How answers are judged. */
export interface ScoringOptions {
  /** Probability from which a BINARY or MULTILABEL answer is positive, for all labels or for each; 0.5 by default. */
  readonly threshold?: number | readonly number[] | undefined
  /** A label that says: do not count this sample; for MULTILABEL: do not count this label of the sample. */
  readonly ignoreIndex?: number | undefined
  /** BINARY and MULTICLASS: how much a sample of each class counts, times the sample's own weight. */
  readonly classWeights?: readonly number[] | undefined
}

/**
 * The scorer of a task with this many classes. It throws AppError DATASET_SHAPE_MISMATCH, DATASET_LABEL_UNKNOWN, and BAD_INPUT for a
 * weight that is negative or no number.
 */
export function scorer(task: ClassificationTask, classes: number, options: ScoringOptions = {}): Scorer {
  switch (task) {
    case 'BINARY':
      return binaryScorer(options)
    case 'MULTICLASS':
      return multiclassScorer(classes, options)
    case 'MULTILABEL':
      return multilabelScorer(classes, options)
  }
}

/**
 * One logit: sigmoid. Two: softmax, of which the second is the positive class. Positive is predicted from a probability
 * of `threshold`. Probabilities of both classes are rounded as 1/(1+exp(−x)) and 1−p are, because that is what gets
 * into log_loss elsewhere.
 */
function binaryScorer(options: ScoringOptions): Scorer {
  const arrays = scratch()
  const threshold = thresholds(options, 1)[0]!
  return (batch) => {
    const { n, width, logits } = batch
    if (width !== 1 && width !== 2)
      throw new AppError(
        'DATASET_SHAPE_MISMATCH',
        `a BINARY model gives one or two logits a sample, this one gives ${width}`,
      )
    checkLengths(batch, 1)
    const scored = arrays.take(n, 1, 1)
    let kept = 0
    for (let i = 0; i < n; i++) {
      const target = codeAt(batch, i, 2, 1, options.ignoreIndex)
      if (target === IGNORED) continue
      let positive: number
      let negative: number
      if (width === 1) {
        positive = 1 / (1 + Math.exp(-logits[i]!))
        negative = 1 - positive
      } else {
        const [a, b] = [logits[2 * i]!, logits[2 * i + 1]!]
        const largest = Math.max(a, b)
        const [ea, eb] = [Math.exp(a - largest), Math.exp(b - largest)]
        positive = eb / (ea + eb)
        negative = ea / (ea + eb)
      }
      scored.targets[kept] = target
      scored.predicted[kept] = positive >= threshold ? 1 : 0
      scored.probabilities[kept] = positive
      scored.losses[kept] = clippedLoss(target === 1 ? positive : negative)
      scored.briers[kept] = (positive - target) ** 2
      place(scored, kept++, batch, i, options.classWeights?.[target])
    }
    return firstOf(scored, kept)
  }
}

/** Softmax; the first largest logit is predicted, and a NaN counts as largest, as numpy.argmax. */
function multiclassScorer(classes: number, options: ScoringOptions): Scorer {
  const arrays = scratch()
  return (batch) => {
    const { n, width, logits } = batch
    checkWidth('MULTICLASS', width, classes)
    checkLengths(batch, 1)
    const scored = arrays.take(n, width, 1)
    const { probabilities } = scored
    let kept = 0
    for (let i = 0, at = 0; i < n; i++, at += width) {
      const target = codeAt(batch, i, classes, 1, options.ignoreIndex)
      if (target === IGNORED) continue
      let largest = logits[at]!
      let choice = 0
      for (let k = 1; k < width && !Number.isNaN(largest); k++) {
        const logit = logits[at + k]!
        if (logit > largest || Number.isNaN(logit)) {
          largest = logit
          choice = k
        }
      }
      const to = kept * width
      const own = logits[at + target]!
      let sum = 0
      let before = 0
      for (let k = 0; k < width; k++) {
        const logit = logits[at + k]!
        // Of equal logits the last comes first: scikit-learn's top_k_accuracy_score.
        if (logit > own || (logit === own && k > target)) before++
        sum += probabilities[to + k] = Math.exp(logit - largest)
      }
      let brier = 0
      for (let k = 0; k < width; k++) {
        const p = (probabilities[to + k]! /= sum)
        brier += k === target ? (1 - p) ** 2 : p * p
      }
      scored.targets[kept] = target
      scored.predicted[kept] = choice
      scored.ranks[kept] = before
      scored.losses[kept] = clippedLoss(probabilities[to + target]!)
      scored.briers[kept] = brier
      place(scored, kept++, batch, i, options.classWeights?.[target])
    }
    return firstOf(scored, kept)
  }
}

/**
 * Sigmoid for each label, predicted from its threshold. The loss of a sample is the mean of its labels' binary log
 * losses, its Brier score the mean of theirs.
 */
function multilabelScorer(classes: number, options: ScoringOptions): Scorer {
  const arrays = scratch()
  const from = thresholds(options, classes)
  return (batch) => {
    const { n, width, logits } = batch
    checkWidth('MULTILABEL', width, classes)
    checkLengths(batch, width)
    const scored = arrays.take(n, width, width)
    let kept = 0
    for (let i = 0, at = 0; i < n; i++) {
      let [loss, brier, counted] = [0, 0, 0]
      for (let k = 0, to = kept * width; k < width; k++, at++, to++) {
        const target = codeAt(batch, at, 2, width, options.ignoreIndex)
        const p = 1 / (1 + Math.exp(-logits[at]!))
        scored.targets[to] = target
        scored.predicted[to] = p >= from[k]! ? 1 : 0
        scored.probabilities[to] = p
        if (target === IGNORED) continue
        counted++
        loss += clippedLoss(target === 1 ? p : 1 - p)
        brier += (p - target) ** 2
      }
      if (counted === 0) continue
      scored.losses[kept] = loss / counted
      scored.briers[kept] = brier / counted
      place(scored, kept++, batch, i, undefined)
    }
    return firstOf(scored, kept)
  }
}

/** The thresholds of so many labels. */
export function thresholds({ threshold = 0.5 }: ScoringOptions, labels: number): readonly number[] {
  if (typeof threshold === 'number') return new Array<number>(labels).fill(threshold)
  if (threshold.length === labels) return threshold
  throw new AppError(
    'BAD_INPUT',
    `${threshold.length} thresholds were given for ${labels} labels; give one, or one for each label`,
  )
}

/** The code of a target that does not count. */
export const IGNORED = -1

/** A target that has to be a class code. @throws AppError DATASET_LABEL_UNKNOWN for anything that is not a whole number of 0..classes-1. */
function codeAt({ targets }: LogitsBatch, i: number, classes: number, perSample: number, ignore?: number): number {
  const code = targets[i]!
  if (code >= 0 && code < classes && code === Math.floor(code) && code !== ignore) return code
  if (code === ignore) return IGNORED
  throw new AppError(
    'DATASET_LABEL_UNKNOWN',
    `sample ${Math.floor(i / perSample)} of the batch has the label ${code}; the labels of this model are the whole numbers 0 to ${classes - 1}`,
  )
}

/** Where a sample comes from, and how much it counts. */
function place(scored: ScoredBatch, at: number, batch: LogitsBatch, i: number, classWeight = 1): void {
  scored.weights[at] = classWeight * weightAt(batch, i)
  scored.hashes[at] = hashRow(rowAt(batch, i))
}

/** How much a sample counts. @throws AppError BAD_INPUT. */
export function weightAt(batch: LogitsBatch, i: number): number {
  const weight = batch.weights === undefined ? 1 : batch.weights[i]!
  if (weight >= 0 && weight < Infinity) return weight
  throw new AppError('BAD_INPUT', `sample ${rowAt(batch, i)} has the weight ${weight}; a number from 0 on is expected`)
}

function checkWidth(task: Task, width: number, classes: number): void {
  if (width !== classes)
    throw new AppError(
      'DATASET_SHAPE_MISMATCH',
      `the model gives ${width} logits a sample, ${classes} ${task} classes need ${classes}; name as many classes as the model has outputs`,
    )
}
