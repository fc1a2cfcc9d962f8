import { openDataset } from '../dataset/index.ts'
import type { ComputeDType, EngineName } from '../engine/index.ts'
import { AppError } from '../error.ts'
import { fitDataset } from '../evaluation/index.ts'
import { chosenClasses, type Task } from '../metric/index.ts'
import { itemSize, numel, toFloat32, typedArrayOf } from '../tensor/index.ts'
import { datasetFacts } from './dataset-facts.ts'
import { keyMappingJson, keyMappingOf, type KeyMappingInput } from './key-mapping-json.ts'
import { liveDevices, type WorkerDevice } from './live-workers.ts'
import { loadModelPlan } from './load-model-plan.ts'
import { logitsWidth } from './logits-width.ts'
import { openUpload } from './open-upload.ts'
import { loadDataset } from './load-dataset.ts'
import type { Platform } from './platform.ts'
import type { Predictor } from './predictor.ts'

/** What to compare on what. */
export interface CompareEnginesInput {
  readonly checkpointId: string
  readonly datasetId: string
  /** Samples, spread evenly over the dataset; 256 by default. */
  readonly sample?: number | null | undefined
  /** An uploaded `.npy` of logits, a row for each sample of the dataset: what all are compared with. */
  readonly referenceUploadId?: string | null | undefined
  /** true by default. */
  readonly strict?: boolean | null | undefined
  readonly keyMapping?: KeyMappingInput | null | undefined
}

/** How an engine answers, beside the reference. */
export interface ComparedEngine {
  readonly engine: EngineName
  readonly version: string
  readonly device: string
  readonly description: string
  readonly computeDType: ComputeDType
  /** Null where there is no answer. */
  readonly differences: LogitDifferences | null
  /** Of the engine alone, without the way to it. */
  readonly samplesPerSecond: number | null
  /** Why there is no answer. */
  readonly error: AppError | null
}

/** How far logits are from those of the reference. */
export interface LogitDifferences {
  readonly largest: number
  readonly mean: number
  /** Largest difference ÷ largest |logit| of the reference. */
  readonly relative: number
  /** Samples for which other classes are chosen; null for REGRESSION. */
  readonly labelFlips: number | null
}

/** The same samples on every engine and device that there is. */
export interface EngineComparison {
  readonly samples: number
  /** What the others are compared with, for people. */
  readonly reference: string
  readonly engines: readonly ComparedEngine[]
}

const SAMPLE = 256
const MOST_SAMPLES = 10_000
/** Numbers of the logits that are held for each engine. */
const MOST_LOGITS = 10_000_000

/**
 * Has every engine on every device of the live workers, in everything that it computes in, predict the same samples. The reference is what was
 * uploaded, or ONNX Runtime on a processor in float32, or else the first that answers.
 * @throws AppError what `predict` throws of checkpoint and dataset; BAD_INPUT, LIMIT_EXCEEDED; DEVICE_UNAVAILABLE when no worker is alive.
 */
export async function compareEngines(
  platform: Platform,
  predictor: Predictor,
  input: CompareEnginesInput,
  signal?: AbortSignal,
): Promise<EngineComparison> {
  const plan = await plannedSample(platform, input)
  const places = distinctPlaces(await liveDevices(platform))
  const uploaded = input.referenceUploadId == null ? null : await readReference(platform, input.referenceUploadId, plan)
  const answers: Answered[] = []
  for (const place of places) answers.push(await ask(predictor, input, plan, place, signal))
  const own = answers.find(({ logits }) => logits !== null)
  const reference = uploaded ?? own?.logits ?? null
  return {
    samples: plan.rows.length,
    reference: uploaded !== null ? 'the uploaded logits' : own === undefined ? 'none' : placeText(own.place),
    engines: answers.map(({ place: { device, computeDType }, logits, samplesPerSecond, error }) => ({
      engine: device.engine,
      version: device.version,
      device: device.id,
      description: device.description,
      computeDType,
      differences: logits === null || reference === null ? null : differences(plan.task, plan.width, reference, logits),
      samplesPerSecond,
      error,
    })),
  }
}

/** The samples and what they make. */
interface PlannedSample {
  readonly task: Task
  /** Logits of a sample. */
  readonly width: number
  /** Rows of the dataset that are compared, and how many there are. */
  readonly rows: readonly number[]
  readonly total: number
  /** Samples of one prediction. */
  readonly atOnce: number
}

async function plannedSample(platform: Platform, input: CompareEnginesInput): Promise<PlannedSample> {
  const { limits } = platform
  const sample = input.sample ?? SAMPLE
  if (!(Number.isInteger(sample) && sample >= 1 && sample <= MOST_SAMPLES))
    throw new AppError('BAD_INPUT', `sample is ${sample}; 1 to ${MOST_SAMPLES} samples can be compared`)
  const keyMapping = keyMappingOf(input.keyMapping)
  const model = await loadModelPlan(platform, {
    checkpointId: input.checkpointId,
    strict: input.strict ?? true,
    keyMapping: keyMapping === null ? null : keyMappingJson(keyMapping),
  })
  const dataset = await loadDataset(platform, input.datasetId)
  const fit = fitDataset(model, datasetFacts(dataset, dataset.columns))
  const total = Number(dataset.rows)
  const n = Math.min(sample, total)
  if (n === 0) throw new AppError('BAD_INPUT', `dataset ${dataset.name} version ${dataset.version} has no samples`)
  const width = logitsWidth(model.graph, model.task)
  if (n * width > MOST_LOGITS)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${n} samples have ${width} logits each; at most ${MOST_LOGITS} are compared: give a smaller sample`,
    )
  const dtypeOf = (name: string) => model.graph.inputs.find((one) => one.name === name)!.dtype
  const bytes = fit.inputs.reduce((sum, { input: name, shape }) => sum + numel(shape) * itemSize(dtypeOf(name)), 0)
  const { samples, inputBytes, logits } = limits.prediction
  return {
    task: model.task,
    width,
    rows: Array.from({ length: n }, (_, i) => Math.floor((i * total) / n)),
    total,
    // Never less than one: what is too large for a prediction is refused by it.
    atOnce: Math.max(1, Math.min(samples, Math.floor(inputBytes / bytes), Math.floor(logits / width))),
  }
}

/** A device with an engine, in one of the dtypes that it computes in. */
interface Place {
  readonly device: WorkerDevice
  readonly computeDType: ComputeDType
}

/** Each once, whichever worker has it; what serves as the reference first. */
function distinctPlaces(devices: readonly WorkerDevice[] | null): readonly Place[] {
  if (devices === null)
    throw new AppError('DEVICE_UNAVAILABLE', 'no worker is alive: start one (`nograd worker`, or `npm start`)')
  const places = new Map<string, Place>()
  for (const device of devices)
    for (const computeDType of device.computeDTypes) {
      const place = { device, computeDType }
      if (!places.has(placeText(place))) places.set(placeText(place), place)
    }
  const rank = ({ device, computeDType }: Place): number =>
    (computeDType === 'float32' ? 0 : 4) + (device.id === 'cpu' ? 0 : 2) + (device.engine === 'onnxruntime' ? 0 : 1)
  return [...places.values()].sort((a, b) => rank(a) - rank(b))
}

const placeText = ({ device, computeDType }: Place): string => `${device.engine} on ${device.id} in ${computeDType}`

interface Answered {
  readonly place: Place
  readonly logits: Float32Array | null
  readonly samplesPerSecond: number | null
  readonly error: AppError | null
}

async function ask(
  predictor: Predictor,
  { checkpointId, datasetId, strict, keyMapping }: CompareEnginesInput,
  { rows, width, atOnce }: PlannedSample,
  place: Place,
  signal: AbortSignal | undefined,
): Promise<Answered> {
  const { device, computeDType } = place
  const predict = (indices: readonly number[]) =>
    predictor.predict(
      {
        ...{ checkpointId, datasetId, strict, keyMapping, indices },
        engine: device.engine,
        device: device.id,
        computeDType,
      },
      signal,
    )
  try {
    // Loads the session, and lets the device settle: neither is the speed that a run has.
    await predict(rows.slice(0, atOnce))
    const logits = new Float32Array(rows.length * width)
    let at = 0
    let milliseconds = 0
    for (let first = 0; first < rows.length; first += atOnce) {
      const { samples, engineMilliseconds } = await predict(rows.slice(first, first + atOnce))
      milliseconds += engineMilliseconds
      for (const { logits: own } of samples) {
        logits.set(own, at)
        at += own.length
      }
    }
    return { place, logits, samplesPerSecond: rows.length / (milliseconds / 1000), error: null }
  } catch (error) {
    if (signal?.aborted || !(error instanceof AppError)) throw error
    return { place, logits: null, samplesPerSecond: null, error }
  }
}

/** The rows of an uploaded array that are compared. */
async function readReference(platform: Platform, uploadId: string, plan: PlannedSample): Promise<Float32Array> {
  const { rows, total, width } = plan
  await using upload = await openUpload(platform, uploadId)
  await using file = await openDataset(upload.source, { labelsOptional: true })
  const [column, ...others] = file.columns
  const shape = column === undefined ? [] : [file.rows, ...column.shape]
  if (column === undefined || others.length > 0 || file.rows !== total || numel(column.shape) !== width)
    throw new AppError(
      'BAD_INPUT',
      `${upload.source.name} holds ${others.length > 0 ? `${others.length + 1} arrays` : `an array [${shape.join(', ')}]`}; ` +
        `reference logits are one array [${total}, ${width}]: a row for each sample of the dataset, in its order (np.save of the model's output)`,
    )
  const size = width * itemSize(column.dtype)
  const picked = new Uint8Array(rows.length * size)
  // Bytes of the array before the piece at hand, and the sample that is looked for.
  let before = 0
  for await (const piece of file.read(0)) {
    for (const [sample, row] of rows.entries()) {
      const from = Math.max(row * size, before)
      const to = Math.min((row + 1) * size, before + piece.length)
      if (from < to) picked.set(piece.subarray(from - before, to - before), sample * size + from - row * size)
    }
    before += piece.length
  }
  return toFloat32(column.dtype, typedArrayOf(column.dtype, picked))
}

function differences(task: Task, width: number, reference: Float32Array, logits: Float32Array): LogitDifferences {
  let largest = 0
  let sum = 0
  let most = 0
  for (const [i, expected] of reference.entries()) {
    // Equal infinities are no difference.
    const difference = logits[i] === expected ? 0 : Math.abs(logits[i]! - expected)
    largest = Math.max(largest, difference)
    sum += difference
    most = Math.max(most, Math.abs(expected))
  }
  let flips = 0
  for (let at = 0; at < reference.length; at += width) {
    const chosen = (values: Float32Array) => chosenClasses(task, values.subarray(at, at + width), 0.5).join()
    if (chosen(reference) !== chosen(logits)) flips++
  }
  return {
    largest,
    mean: sum / Math.max(1, reference.length),
    relative: largest === 0 ? 0 : largest / most,
    labelFlips: task === 'REGRESSION' ? null : flips,
  }
}
