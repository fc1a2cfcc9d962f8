import { AppError } from '../error.ts'
import type { Task } from './accumulator.ts'
import { checkLengths, type LogitsBatch } from './logits-batch.ts'
import { clippedLoss, copyCodes, scratch, type ScoredBatch } from './scored-batch.ts'

/** Turns logits into choices and losses. The result is valid until the next call. */
export type Scorer = (batch: LogitsBatch) => ScoredBatch

/** Tasks whose targets are classes. */
export type ClassificationTask = Exclude<Task, 'REGRESSION'>

/**
 * The scorer of a task with this many classes. It throws AppError DATASET_SHAPE_MISMATCH and DATASET_LABEL_UNKNOWN.
 * @param threshold probability from which a BINARY or MULTILABEL answer is positive.
 */
export function scorer(task: ClassificationTask, classes: number, threshold = 0.5): Scorer {
  switch (task) {
    case 'BINARY':
      return binaryScorer(threshold)
    case 'MULTICLASS':
      return multiclassScorer(classes)
    case 'MULTILABEL':
      return multilabelScorer(classes, threshold)
  }
}

/**
 * One logit: sigmoid. Two: softmax, of which the second is the positive class. Positive is predicted from a probability
 * of `threshold`. Probabilities of both classes are rounded as 1/(1+exp(−x)) and 1−p are, because that is what gets
 * into log_loss elsewhere.
 */
function binaryScorer(threshold: number): Scorer {
  const arrays = scratch()
  return (batch) => {
    const { n, width, logits } = batch
    if (width !== 1 && width !== 2)
      throw new AppError(
        'DATASET_SHAPE_MISMATCH',
        `a BINARY model gives one or two logits a sample, this one gives ${width}`,
      )
    checkLengths(batch, 1)
    const scored = arrays.take(n, n)
    copyCodes(batch.targets, scored.targets, 2, 1)
    for (let i = 0; i < n; i++) {
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
      scored.predicted[i] = positive >= threshold ? 1 : 0
      scored.losses[i] = clippedLoss(scored.targets[i] === 1 ? positive : negative)
    }
    return scored
  }
}

/** Softmax; the first largest logit is predicted, and a NaN counts as largest, as numpy.argmax. */
function multiclassScorer(classes: number): Scorer {
  const arrays = scratch()
  return (batch) => {
    const { n, width, logits } = batch
    checkWidth('MULTICLASS', width, classes)
    checkLengths(batch, 1)
    const { targets, predicted, losses } = arrays.take(n, n)
    copyCodes(batch.targets, targets, classes, 1)
    for (let i = 0, at = 0; i < n; i++, at += width) {
      let largest = logits[at]!
      let choice = 0
      for (let k = 1; k < width && !Number.isNaN(largest); k++) {
        const logit = logits[at + k]!
        if (logit > largest || Number.isNaN(logit)) {
          largest = logit
          choice = k
        }
      }
      let sum = 0
      for (let k = 0; k < width; k++) sum += Math.exp(logits[at + k]! - largest)
      predicted[i] = choice
      losses[i] = clippedLoss(Math.exp(logits[at + targets[i]!]! - largest) / sum)
    }
    return { n, targets, predicted, losses }
  }
}

/**
 * Sigmoid for each label, predicted from `threshold`. The loss of a sample is the mean of its labels' binary log
 * losses.
 */
function multilabelScorer(classes: number, threshold: number): Scorer {
  const arrays = scratch()
  return (batch) => {
    const { n, width, logits } = batch
    checkWidth('MULTILABEL', width, classes)
    checkLengths(batch, width)
    const { targets, predicted, losses } = arrays.take(n, n * width)
    copyCodes(batch.targets, targets, 2, width)
    for (let i = 0, at = 0; i < n; i++) {
      let loss = 0
      for (let k = 0; k < width; k++, at++) {
        const p = 1 / (1 + Math.exp(-logits[at]!))
        predicted[at] = p >= threshold ? 1 : 0
        loss += clippedLoss(targets[at] === 1 ? p : 1 - p)
      }
      losses[i] = loss / width
    }
    return { n, targets, predicted, losses }
  }
}

function checkWidth(task: Task, width: number, classes: number): void {
  if (width !== classes)
    throw new AppError(
      'DATASET_SHAPE_MISMATCH',
      `the model gives ${width} logits a sample, ${classes} ${task} classes need ${classes}; name as many classes as the model has outputs`,
    )
}
