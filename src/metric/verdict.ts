import { invariant } from '../error.ts'
import { packArrays } from '../tensor/index.ts'
import type { Task } from './accumulator.ts'
import type { LogitsBatch } from './logits-batch.ts'
import { activationOf, probabilities } from './probabilities.ts'
import { thresholds } from './score-batch.ts'
import { clippedLoss } from './scored-batch.ts'
import type { TaskOptions } from './task.ts'

/** What became of samples, one after the other. */
export interface Verdicts {
  readonly n: number
  /** What is true: class codes; for MULTILABEL 0 or 1 for each label; for REGRESSION values. */
  readonly targets: Int32Array | Uint8Array | Float64Array
  /** What was predicted, in the layout of `targets`; null for REGRESSION. */
  readonly predicted: Int32Array | Uint8Array | null
  /** Log loss; for REGRESSION the mean of the squared errors. NaN without probabilities. */
  readonly losses: Float32Array
  /**
   * Probability of the predicted class. For MULTILABEL of the answer to one label: the most confident of the wrong ones, or where all are
   * right the least confident. NaN for REGRESSION.
   */
  readonly confidences: Float32Array
  /** Of each sample: `OUTCOME`. */
  readonly outcomes: Uint8Array
}

/** Whether a sample was answered rightly. REGRESSION has neither, and samples whose label is `ignoreIndex` have neither. */
export const OUTCOME = { wrong: 0, right: 1, none: 2 } as const

/** A label that does not count, among those of MULTILABEL. */
const IGNORED_LABEL = 255

/**
 * Judges samples one by one, as `taskAccumulator` judges them for the metrics.
 * @throws AppError BAD_INPUT as `taskAccumulator`.
 */
export function judge(task: Task, options: TaskOptions): (batch: LogitsBatch) => Verdicts {
  switch (task) {
    case 'BINARY':
    case 'MULTICLASS':
      return (batch) => judgeClasses(batch, task === 'BINARY', options)
    case 'MULTILABEL': {
      const from = thresholds(options, options.classes.length)
      return (batch) => judgeLabels(batch, from, options.ignoreIndex)
    }
    case 'REGRESSION':
      return judgeOutputs
  }
}

const empty = (n: number, codes: Int32Array | Uint8Array) => ({
  n,
  targets: codes,
  predicted: codes.slice(),
  losses: new Float32Array(n),
  confidences: new Float32Array(n),
  outcomes: new Uint8Array(n),
})

function judgeClasses(batch: LogitsBatch, binary: boolean, options: TaskOptions): Verdicts {
  const { n, width, logits, targets } = batch
  const threshold = binary ? thresholds(options, 1)[0]! : 0
  const verdicts = empty(n, new Int32Array(n))
  for (let i = 0; i < n; i++) {
    const target = targets[i]!
    const ignored = target === options.ignoreIndex
    const own = logits.subarray(i * width, (i + 1) * width)
    const { choice, confidence, truth } = binary
      ? judgeBinary(own, target, threshold)
      : judgeMulticlass(own, ignored ? 0 : target)
    verdicts.targets[i] = target
    verdicts.predicted[i] = choice
    verdicts.confidences[i] = confidence
    verdicts.losses[i] = ignored ? NaN : clippedLoss(truth)
    verdicts.outcomes[i] = ignored ? OUTCOME.none : choice === target ? OUTCOME.right : OUTCOME.wrong
  }
  return verdicts
}

/** What was chosen, how probable that was, and how probable the truth. */
interface Judged {
  readonly choice: number
  readonly confidence: number
  readonly truth: number
}

function judgeBinary(logits: Float32Array, target: number, threshold: number): Judged {
  const positive = probabilities('BINARY', activationOf('BINARY', logits.length), logits)![1]!
  const choice = positive >= threshold ? 1 : 0
  const of = (code: number): number => (code === 1 ? positive : 1 - positive)
  return { choice, confidence: of(choice), truth: of(target) }
}

/** The first largest logit, and a NaN counts as largest, as in `scorer`. */
function judgeMulticlass(logits: Float32Array, target: number): Judged {
  let choice = 0
  for (let k = 1; k < logits.length && !Number.isNaN(logits[choice]!); k++)
    if (logits[k]! > logits[choice]! || Number.isNaN(logits[k]!)) choice = k
  const largest = logits[choice]!
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit - largest)
  return { choice, confidence: 1 / sum, truth: Math.exp(logits[target]! - largest) / sum }
}

function judgeLabels(batch: LogitsBatch, from: readonly number[], ignoreIndex?: number): Verdicts {
  const { n, width, logits, targets } = batch
  const verdicts = empty(n, new Uint8Array(n * width))
  for (let i = 0, at = 0; i < n; i++) {
    let [loss, counted, wrong, least] = [0, 0, 0, 1]
    for (let k = 0; k < width; k++, at++) {
      const p = 1 / (1 + Math.exp(-logits[at]!))
      const choice = p >= from[k]! ? 1 : 0
      verdicts.predicted[at] = choice
      verdicts.targets[at] = targets[at] === ignoreIndex ? IGNORED_LABEL : targets[at]!
      if (targets[at] === ignoreIndex) continue
      counted++
      loss += clippedLoss(targets[at] === 1 ? p : 1 - p)
      const confidence = choice === 1 ? p : 1 - p
      if (choice !== targets[at]) wrong = Math.max(wrong, confidence)
      else least = Math.min(least, confidence)
    }
    verdicts.losses[i] = counted === 0 ? NaN : loss / counted
    verdicts.confidences[i] = wrong > 0 ? wrong : least
    verdicts.outcomes[i] = counted === 0 ? OUTCOME.none : wrong > 0 ? OUTCOME.wrong : OUTCOME.right
  }
  return verdicts
}

function judgeOutputs({ n, width, logits, targets }: LogitsBatch): Verdicts {
  const losses = new Float32Array(n)
  for (let i = 0; i < n * width; i++) losses[Math.floor(i / width)]! += (logits[i]! - targets[i]!) ** 2 / width
  return {
    n,
    targets: Float64Array.from(targets),
    predicted: null,
    losses,
    confidences: new Float32Array(n).fill(NaN),
    outcomes: new Uint8Array(n).fill(OUTCOME.none),
  }
}

/** Verdicts on samples that follow each other as bytes, little-endian: targets, predictions, losses, confidences, outcomes. */
export function verdictBytes(verdicts: readonly Verdicts[]): Uint8Array {
  return packArrays(
    (['targets', 'predicted', 'losses', 'confidences', 'outcomes'] as const).flatMap((name) =>
      verdicts.flatMap((each) => (each[name] === null ? [] : [each[name]])),
    ),
  )
}

/**
 * The verdicts of `rows` samples from their bytes.
 * @param codes targets of one sample.
 */
export function verdictsOf(task: Task, rows: number, codes: number, bytes: Uint8Array): Verdicts {
  // Of its own, so that it begins at an even address.
  const { buffer } = new Uint8Array(bytes)
  let at = 0
  const take = <T>(
    type: new (buffer: ArrayBuffer, at: number, length: number) => T,
    size: number,
    length: number,
  ): T => {
    invariant(
      at + size * length <= buffer.byteLength,
      `the verdicts of ${rows} samples are more than ${bytes.byteLength} bytes`,
    )
    const part = new type(buffer, at, length)
    at += size * length
    return part
  }
  const codesOf = () => (task === 'MULTILABEL' ? take(Uint8Array, 1, rows * codes) : take(Int32Array, 4, rows * codes))
  const targets = task === 'REGRESSION' ? take(Float64Array, 8, rows * codes) : codesOf()
  const predicted = task === 'REGRESSION' ? null : codesOf()
  // Labels are of one byte each, and may be of any number.
  const numbers = () => (task === 'MULTILABEL' ? copied(take(Uint8Array, 1, 4 * rows)) : take(Float32Array, 4, rows))
  const [losses, confidences, outcomes] = [numbers(), numbers(), take(Uint8Array, 1, rows)]
  invariant(at === buffer.byteLength, `the verdicts of ${rows} samples are fewer than ${bytes.byteLength} bytes`)
  return { n: rows, targets, predicted, losses, confidences, outcomes }
}

const copied = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer)
