import type { Graph } from '../architecture/index.ts'
import type { Wish } from '../engine/index.ts'
import { AppError, invariant } from '../error.ts'
import { decodeSamples, fitSamples, requireBound, type Question, type SamplesFit } from '../evaluation/index.ts'
import type { Activation } from '../metric/index.ts'
import type { AskOutcome } from '../store/index.ts'
import { itemSize, numel } from '../tensor/index.ts'
import { bindStored, findCheckpoint } from './bind-checkpoint.ts'
import { datasetSamples } from './dataset-samples.ts'
import type { GivenSamples } from './given-samples.ts'
import { jsonSamples } from './json-samples.ts'
import { keyMappingJson, keyMappingOf, type KeyMappingInput } from './key-mapping-json.ts'
import { liveDevices } from './live-workers.ts'
import { loadModelPlan } from './load-model-plan.ts'
import { logitsWidth } from './logits-width.ts'
import { createLruCache } from './lru-cache.ts'
import { checkSavedLocations, type MapLocationInput } from './map-location-json.ts'
import { consumeUpload, openUpload } from './open-upload.ts'
import type { Platform } from './platform.ts'
import { describePredictions, type Prediction } from './prediction.ts'
import { packTensors, type PredictionReply, type PredictionRequest } from './prediction-request.ts'
import { checkThreshold, savedLocations } from './start-run.ts'
import { uploadSamples } from './upload-samples.ts'
import { checkWish, deviceIds, placeOf, wishOf, type WishInput } from './wish.ts'

/** What to predict, with what, and how. Just one of `inputs`, `uploadId` and `datasetId`. */
export interface PredictInput extends WishInput {
  readonly checkpointId: string
  /** Nested arrays of numbers: one array, or an object of arrays by graph input. */
  readonly inputs?: unknown
  /** An uploaded file of samples, of any kind that datasets are imported from. */
  readonly uploadId?: string | null | undefined
  /** The label's array or CSV column of the upload, if it has one. */
  readonly labelColumn?: string | null | undefined
  readonly datasetId?: string | null | undefined
  /** Samples of the dataset, counted from 0. */
  readonly indices?: readonly number[] | null | undefined
  /** true by default. */
  readonly strict?: boolean | null | undefined
  /** By default storages stay where their tags say. */
  readonly mapLocation?: MapLocationInput | null | undefined
  readonly keyMapping?: KeyMappingInput | null | undefined
  /** By default what the task implies. */
  readonly activation?: Activation | null | undefined
  /** 0.5 by default. */
  readonly threshold?: number | null | undefined
}

/** Asks workers what a checkpoint says about a few samples. It remembers how the last checkpoints were bound: their rows never change. */
export interface Predictor {
  /**
   * Checks everything that a run checks before it is queued, then has a worker compute the logits and waits for them.
   * @throws AppError BAD_INPUT, NOT_FOUND, BINDING_FAILED, DATASET_SHAPE_MISMATCH, DATASET_LABEL_UNKNOWN, DATASET_NOT_FINITE,
   * DEVICE_UNAVAILABLE, ARCHITECTURE_UNSUPPORTED_OPERATOR, LIMIT_EXCEEDED, ENGINE_FAILED, LOGITS_NOT_FINITE, PREDICTION_TIMEOUT, WORKER_LOST.
   */
  predict(input: PredictInput, signal?: AbortSignal): Promise<Prediction>
}

/** Models whose binding is remembered. */
const REMEMBERED = 64

/** A checkpoint that binds. */
interface BoundModel extends Question {
  readonly modelKey: string
  readonly locations: readonly string[]
}

/** A predictor that remembers nothing yet. One for each process that asks. */
export function createPredictor(platform: Platform): Predictor {
  const limits = platform.limits.prediction
  const models = createLruCache<BoundModel>(REMEMBERED)
  let waiting = 0

  async function predict(input: PredictInput, signal?: AbortSignal): Promise<Prediction> {
    const begin = performance.now()
    const threshold = checkThreshold(input.threshold ?? 0.5)
    const strict = input.strict ?? true
    const keyMapping = keyMappingOf(input.keyMapping)
    const choice = {
      checkpointId: input.checkpointId,
      strict,
      keyMapping: keyMapping === null ? null : (keyMappingJson(keyMapping) as KeyMappingInput),
    }
    const key = JSON.stringify(choice)
    const model = await models.get(key, () => bindModel(platform, choice))
    const wish = await checkPlaces(platform, input, model)

    await using upload = input.uploadId == null ? null : await openUpload(platform, input.uploadId)
    const samples = await samplesOf(platform, input, model.graph, upload)
    const fit = fitSamples(model, samples.facts)
    checkSizes(platform, model, fit, samples.n)
    const names = new Set([
      ...fit.inputs.map(({ column }) => column),
      ...(fit.labels === null ? [] : [fit.labels.column]),
    ])
    const { inputs, targets } = await decodeSamples(model.graph, fit, await samples.readers(names), samples.n)
    const tensors = [...inputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))
    const request: PredictionRequest = { ...choice, wish, output: fit.output, tensors }
    const { checkpointId } = choice
    const outcome = await platform.store.predictions.ask(
      { request, inputs: packTensors(inputs), place: placeOf(wish), affinity: model.modelKey, checkpointId },
      limits.timeoutMs,
      signal,
    )
    if (outcome.kind === 'NO_CHECKPOINT') models.forget(key)
    const { reply, logits } = await replyOf(platform, outcome)
    const prediction = describePredictions({
      ...{ task: model.task, fit, samples, targets, reply, logits, threshold },
      activation: input.activation ?? null,
      milliseconds: performance.now() - begin,
    })
    // As an import does: what was used is gone; what was refused can be tried again.
    if (input.uploadId != null) await consumeUpload(platform, input.uploadId)
    return prediction
  }

  return {
    async predict(input, signal) {
      if (waiting >= limits.atOnce)
        throw new AppError(
          'LIMIT_EXCEEDED',
          `${waiting} predictions are waited for already, which is the limit of this server; try again in a moment`,
        )
      waiting++
      try {
        return await predict(input, signal)
      } finally {
        waiting--
      }
    },
  }
}

async function bindModel(platform: Platform, choice: Parameters<typeof loadModelPlan>[1]): Promise<BoundModel> {
  const { strict } = choice
  const checkpoint = await findCheckpoint(platform, choice.checkpointId)
  requireBound(await bindStored(platform, checkpoint, { strict, keyMapping: keyMappingOf(choice.keyMapping) }))
  const { graph, task, classes, key } = await loadModelPlan(platform, choice)
  return { graph, task, classes, modelKey: key, locations: await savedLocations(platform, checkpoint) }
}

/**
 * Checks that a live worker can do what is asked for, and that torch.load would find a place for every storage.
 * @returns the wish with the device's id: `cuda:0` for `cuda`.
 */
async function checkPlaces(platform: Platform, input: PredictInput, { locations, graph }: BoundModel): Promise<Wish> {
  const wish = wishOf(input)
  const { mapLocation } = input
  const isOrdinary = wish.device === 'auto' && wish.engine === 'auto' && wish.computeDType === 'float32'
  // What every platform has, and the ordinary case, takes no question.
  if (isOrdinary && mapLocation == null && locations.every((location) => location === 'cpu')) return wish
  const devices = await liveDevices(platform)
  const checked = checkWish(wish, graph, devices)
  checkSavedLocations(locations, mapLocation ?? null, deviceIds(devices))
  return checked
}

async function samplesOf(
  platform: Platform,
  { inputs, uploadId, labelColumn, datasetId, indices }: PredictInput,
  graph: Graph,
  upload: Awaited<ReturnType<typeof openUpload>> | null,
): Promise<GivenSamples> {
  const limits = platform.limits.prediction
  const given = [inputs != null, uploadId != null, datasetId != null].filter(Boolean).length
  if (given !== 1)
    throw new AppError(
      'BAD_INPUT',
      `${given === 0 ? 'no samples were given' : 'samples were given in several ways'}; give just one of inputs, uploadId, and datasetId with indices`,
    )
  if (indices != null && datasetId == null)
    throw new AppError('BAD_INPUT', 'indices are those of a dataset; give datasetId too, or leave them out')
  if (labelColumn != null && uploadId == null)
    throw new AppError('BAD_INPUT', 'labelColumn is for an uploaded file; give uploadId too, or leave it out')
  if (datasetId != null) return await datasetSamples(platform, datasetId, indices ?? [], limits)
  if (upload !== null) return await uploadSamples(upload.source, labelColumn ?? undefined, limits)
  return jsonSamples(graph, inputs, limits)
}

function checkSizes(platform: Platform, { graph, task }: BoundModel, fit: SamplesFit, n: number): void {
  const { inputBytes, logits } = platform.limits.prediction
  const dtypeOf = (name: string) => graph.inputs.find((input) => input.name === name)!.dtype
  const bytes = fit.inputs.reduce((sum, { input, shape }) => sum + n * numel(shape) * itemSize(dtypeOf(input)), 0)
  if (bytes > inputBytes)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${n} samples are ${bytes} bytes as the model takes them; at most ${inputBytes} are predicted at a time: send fewer`,
    )
  const width = logitsWidth(graph, task)
  if (n * width > logits)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `the model would answer ${n} samples with ${width} numbers each; at most ${logits} numbers are answered at a time: send fewer samples`,
    )
}

type Answer = { readonly reply: Extract<PredictionReply, { kind: 'LOGITS' }>; readonly logits: Float32Array }

async function replyOf(platform: Platform, outcome: AskOutcome): Promise<Answer> {
  switch (outcome.kind) {
    case 'ANSWERED': {
      const reply = outcome.answer as PredictionReply
      if (reply.kind === 'ERROR') throw new AppError(reply.code, reply.message)
      const { logits } = outcome
      invariant(logits.byteLength % 4 === 0, `an answer of ${logits.byteLength} bytes`)
      return { reply, logits: new Float32Array(new Uint8Array(logits).buffer) }
    }
    case 'NO_CHECKPOINT':
      throw new AppError('NOT_FOUND', 'there is no checkpoint with this id')
    case 'LOST':
      throw new AppError(
        'WORKER_LOST',
        `${outcome.lost} workers took the prediction and died; their logs say more, or lack of memory was the reason: try fewer samples`,
      )
    case 'TIMED_OUT': {
      const alive = await liveDevices(platform)
      const seconds = platform.limits.prediction.timeoutMs / 1000
      const why =
        alive === null
          ? 'no worker is alive: start one (`nograd worker`, or `npm start`)'
          : outcome.lost > 0
            ? 'a worker that took it died, and no other could take it'
            : 'the workers that are alive are busy, or still load the checkpoint: ask again'
      throw new AppError('PREDICTION_TIMEOUT', `no answer within ${seconds} s: ${why}`)
    }
  }
}
