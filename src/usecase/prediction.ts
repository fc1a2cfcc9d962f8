import { AppError } from '../error.ts'
import { checkFinite, type SamplesFit } from '../evaluation/index.ts'
import {
  activationOf,
  chosenClasses,
  probabilities,
  type Activation,
  type Targets,
  type Task,
} from '../metric/index.ts'
import type { GivenSamples } from './given-samples.ts'
import { classIndexes, type ModelAnswer } from './model-answer.ts'
import type { PredictionReply } from './prediction-request.ts'

/** What a checkpoint says about one sample. */
export interface PredictedSample extends ModelAnswer {
  /** Its place among those that were asked for. */
  readonly index: number
  /** Its row in the dataset; null without one. */
  readonly row: number | null
}

/** What a checkpoint says about a few samples, and how that was computed. */
export interface Prediction {
  readonly task: Task
  readonly classes: readonly string[]
  readonly activation: Activation
  readonly samples: readonly PredictedSample[]
  readonly device: string
  readonly engine: string
  readonly engineVersion: string
  /** Why this device and this engine. */
  readonly choice: string
  /** Whether the worker had the session loaded. */
  readonly warm: boolean
  /** From the request to the answer. */
  readonly milliseconds: number
  /** Of that inside the worker. */
  readonly workerMilliseconds: number
  /** Of that inside the engine. */
  readonly engineMilliseconds: number
  /** What was done that the user may want to know: conversions, columns that are not used. */
  readonly notes: readonly string[]
}

/** What a prediction is made of. */
export interface Answered {
  readonly task: Task
  readonly fit: SamplesFit
  readonly samples: GivenSamples
  readonly targets: Targets | null
  readonly reply: Extract<PredictionReply, { kind: 'LOGITS' }>
  readonly logits: Float32Array
  readonly threshold: number
  /** Null for the one that the task implies. */
  readonly activation: Activation | null
  readonly milliseconds: number
}

/**
 * Reads logits as the task of the model and a run do.
 * @throws AppError LOGITS_NOT_FINITE naming the sample, BAD_INPUT for an activation that makes no sense.
 */
export function describePredictions(answered: Answered): Prediction {
  const { task, fit, samples, targets, reply, logits, threshold, milliseconds } = answered
  const { n, rows } = samples
  checkFinite(task, logits, n, (sample) => rows?.[sample] ?? sample)
  const width = logits.length / n
  const activation = answered.activation ?? activationOf(task, width)
  if (activation === 'SOFTMAX' && width === 1)
    throw new AppError('BAD_INPUT', 'the softmax of one logit is always 1; leave activation out, or choose SIGMOID')
  const { classes } = fit
  const nameOf = (index: number) => classes[index] ?? String(index)
  const perSample = fit.labels?.perSample ?? 0
  return {
    task,
    classes,
    activation,
    samples: Array.from({ length: n }, (_, index) => {
      const own = logits.subarray(index * width, (index + 1) * width)
      const truth = targets === null ? null : Array.from(targets.subarray(index * perSample, (index + 1) * perSample))
      return {
        index,
        row: rows?.[index] ?? null,
        logits: Array.from(own),
        probabilities: probabilities(task, activation, own),
        labels: chosenClasses(task, own, threshold).map(nameOf),
        trueLabels: truth === null || task === 'REGRESSION' ? null : classIndexes(task, truth).map(nameOf),
        trueValues: task === 'REGRESSION' ? truth : null,
      }
    }),
    device: reply.device,
    engine: reply.engine,
    engineVersion: reply.engineVersion,
    choice: reply.choice,
    warm: reply.warm,
    milliseconds,
    workerMilliseconds: reply.workerMs,
    engineMilliseconds: reply.engineMs,
    notes: fit.notes,
  }
}
