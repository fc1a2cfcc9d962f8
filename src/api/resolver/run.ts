import { curvePoints, type ScoreBin } from '../../metric/index.ts'
import { fullMetricOptions } from '../../usecase/index.ts'
import { InputError } from '../input-error.ts'
import type {
  ComputeDtype,
  EngineChoice,
  IntervalMethod,
  LogLineResolvers,
  MetricResolvers,
  ProgressPointResolvers,
  ReliabilityBin,
  RunConfigurationResolvers,
  RunProgress,
  RunResolvers,
  SliceMetric,
  TagMapping,
} from '../generated/resolvers.ts'
import type { RunRecord } from '../loader/index.ts'
import { encodeId } from '../object-id.ts'
import { required } from './required.ts'
import { knownCode } from './known-code.ts'
import { samplesResolver } from './samples.ts'

/** Lines of a log that one answer may hold. */
const MAX_LOG_LINES = 1000
const DEFAULT_LOG_LINES = 200

/** Points of a run's progress that one answer may hold. */
const MAX_PROGRESS_POINTS = 1000
const DEFAULT_PROGRESS_POINTS = 300

/** Fields of `Run` that are no columns. */
export const runResolvers: RunResolvers = {
  id: ({ id }) => encodeId('Run', id),
  model: ({ modelId }, _arguments, { loaders }) => required(loaders.model, modelId),
  checkpoint: ({ checkpointId }, _arguments, { loaders }) => required(loaders.checkpoint, checkpointId),
  dataset: ({ datasetId }, _arguments, { loaders }) => required(loaders.dataset, datasetId),
  configuration: (run) => run,
  device: ({ usedDevice }) => usedDevice,
  engine: ({ usedEngine }) => usedEngine,
  engineReason: ({ engineChoice }) => engineChoice,
  usedBatchSize: ({ usedEngine, usedBatchSize, batchSize }) =>
    usedEngine === null ? null : (usedBatchSize ?? batchSize),
  progress: ({ progress }) => progress as RunProgress | null,
  metrics: async ({ id }, { names }, { loaders }) => {
    const metrics = await loaders.metrics.load(id)
    return names == null ? metrics : metrics.filter(({ name }) => names.includes(name))
  },
  summary: async ({ id }, { names }, { loaders }) => {
    const metrics = await loaders.summary.load(id)
    return names == null ? metrics : metrics.filter(({ name }) => names.includes(name))
  },
  progressHistory: ({ id }, { points }, { loaders }) =>
    loaders.progress.load({ runId: id, points: progressPoints(points) }),
  confusionMatrix: ({ id }, _arguments, { loaders }) => loaders.confusion.load(id),
  scoreCurves: async ({ id }, { classes }, { loaders }) => {
    const histograms = await loaders.scores.load(id)
    return histograms
      .filter((histogram) => classes == null || classes.includes(histogram.class))
      .map((histogram) => ({ class: histogram.class, points: curvePoints(histogram.bins as unknown as ScoreBin[]) }))
  },
  reliability: async ({ id }, _arguments, { loaders }) =>
    (await loaders.reliability.load(id)) as ReliabilityBin[] | null,
  error: ({ errorCode, errorMessage }) =>
    errorCode === null ? null : { code: knownCode(errorCode), message: errorMessage ?? '', path: null },
  log: ({ id }, { last }, { loaders }) => loaders.log.load({ runId: id, last: logLines(last) }),
  durationMs,
  slices: async ({ id }, { key, minSamples }, { loaders }) => {
    const slices = await loaders.slices.load(id)
    return slices
      .filter(
        (slice) => (key == null || slice.key === key) && Number(slice.samples) >= ((minSamples as number | null) ?? 1),
      )
      .map((slice) => ({ ...slice, metrics: slice.metrics as unknown as SliceMetric[] }))
  },
  sampleResults: samplesResolver,
  samplesPerSecond: (run) => {
    const duration = durationMs(run)
    return duration === null || duration === 0 ? null : Number(run.samples) / (duration / 1000)
  },
}

/** Fields of `Metric` that are no columns. */
export const metricResolvers: MetricResolvers = {
  interval: ({ low, high, intervalMethod }) =>
    low === null || high === null ? null : { low, high, method: intervalMethod as IntervalMethod },
}

/** Fields of `RunConfiguration`; its parent is the run. */
export const runConfigurationResolvers: RunConfigurationResolvers = {
  engine: ({ engine }) => engine.toUpperCase() as EngineChoice,
  computeDtype: ({ computeDType }) => computeDType.toUpperCase() as ComputeDtype,
  metrics: (run) => fullMetricOptions(run),
  slices: ({ sliceKeys }) => sliceKeys,
  mapLocation: ({ mapLocation }) => (mapLocation as MapLocation | null)?.device ?? null,
  mapLocationTags: ({ mapLocation }): TagMapping[] | null => {
    const tags = (mapLocation as MapLocation | null)?.tags
    return tags === undefined ? null : Object.entries(tags).map(([from, to]) => ({ from, to }))
  },
  stripPrefix: ({ keyMapping }) => (keyMapping as KeyMapping | null)?.stripPrefix ?? null,
  // Runs of older versions have none.
  renamePrefixes: ({ keyMapping }) => (keyMapping as KeyMapping | null)?.renamePrefixes ?? [],
  addPrefix: ({ keyMapping }) => (keyMapping as KeyMapping | null)?.addPrefix ?? null,
}

/** Fields of `ProgressPoint`; its parent is an event. */
export const progressPointResolvers: ProgressPointResolvers = {
  at: ({ createdAt }) => createdAt,
  progress: ({ payload }) => payload as RunProgress,
}

/** Fields of `LogLine`; its parent is an event. */
export const logLineResolvers: LogLineResolvers = {
  at: ({ createdAt }) => createdAt,
  level: ({ payload }) => (payload as LogPayload).level,
  message: ({ payload }) => (payload as LogPayload).message,
}

interface MapLocation {
  readonly device?: string
  readonly tags?: Readonly<Record<string, string>>
}

interface KeyMapping {
  readonly stripPrefix?: string | null
  readonly renamePrefixes?: readonly { readonly from: string; readonly to: string }[]
  readonly addPrefix?: string | null
}

interface LogPayload {
  readonly level: string
  readonly message: string
}

/** A default does not keep a client from sending null, whatever the generated type says. */
function logLines(last: number | null | undefined): number {
  const lines = last ?? DEFAULT_LOG_LINES
  if (lines < 1 || lines > MAX_LOG_LINES)
    throw new InputError('BAD_INPUT', `\`last\` is ${lines}; 1 to ${MAX_LOG_LINES} lines can be asked for`, ['last'])
  return lines
}

function progressPoints(given: number | null | undefined): number {
  const points = given ?? DEFAULT_PROGRESS_POINTS
  if (points < 1 || points > MAX_PROGRESS_POINTS)
    throw new InputError('BAD_INPUT', `\`points\` is ${points}; 1 to ${MAX_PROGRESS_POINTS} can be asked for`, [
      'points',
    ])
  return points
}

function durationMs({ startedAt, finishedAt }: RunRecord): number | null {
  return startedAt === null || finishedAt === null ? null : finishedAt.getTime() - startedAt.getTime()
}
