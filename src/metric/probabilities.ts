import type { Task } from './accumulator.ts'

/** What turns logits into probabilities. */
export type Activation = 'SIGMOID' | 'SOFTMAX' | 'NONE'

/** The activation that a task implies, with so many logits a sample. */
export function activationOf(task: Task, width: number): Activation {
  switch (task) {
    case 'BINARY':
      return width === 1 ? 'SIGMOID' : 'SOFTMAX'
    case 'MULTICLASS':
      return 'SOFTMAX'
    case 'MULTILABEL':
      return 'SIGMOID'
    case 'REGRESSION':
      return 'NONE'
  }
}

/**
 * Probabilities of one sample in float64; null without an activation. Of a BINARY model with one logit: of the negative and the positive
 * class, as 1−p and p. Rounded as the metrics of a run are (`scorer`).
 */
export function probabilities(task: Task, activation: Activation, logits: Float32Array): number[] | null {
  switch (activation) {
    case 'NONE':
      return null
    case 'SOFTMAX':
      return softmax(logits)
    case 'SIGMOID': {
      const each = Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)))
      return task === 'BINARY' && each.length === 1 ? [1 - each[0]!, each[0]!] : each
    }
  }
}

function softmax(logits: Float32Array): number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity)
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}

/**
 * Indexes of the classes that a model chose for one sample, as a run counts them: the first largest logit for MULTICLASS, 0 or 1 for
 * BINARY, every label from `threshold` on for MULTILABEL; none for REGRESSION.
 */
export function chosenClasses(task: Task, logits: Float32Array, threshold: number): number[] {
  switch (task) {
    case 'REGRESSION':
      return []
    case 'MULTICLASS':
      return [logits.reduce((best, logit, k) => (logit > logits[best]! ? k : best), 0)]
    case 'BINARY':
      return [probabilities(task, activationOf(task, logits.length), logits)![1]! >= threshold ? 1 : 0]
    case 'MULTILABEL':
      return probabilities(task, 'SIGMOID', logits)!.flatMap((p, k) => (p >= threshold ? [k] : []))
  }
}
