import { AppError } from '../error.ts'
import { defaultBatchSize, fitDataset, fitSlices, requireBound } from '../evaluation/index.ts'
import { Prisma, type RunRow } from '../store/index.ts'
import { architectureGraph } from './architecture-graph.ts'
import { bindStored, findCheckpoint, type StoredCheckpoint } from './bind-checkpoint.ts'
import { checkName } from './check-name.ts'
import { isForeignKeyViolation } from './database-error.ts'
import { checkSavedLocations, mapLocationJson, type MapLocationInput } from './map-location-json.ts'
import { datasetFacts } from './dataset-facts.ts'
import { inChunks } from './in-chunks.ts'
import { keyMappingJson, keyMappingOf, type KeyMappingInput } from './key-mapping-json.ts'
import { decideToKeep, sampleBytes } from './keep-samples.ts'
import { liveDevices } from './live-workers.ts'
import { logitsWidth } from './logits-width.ts'
import { checkMetricOptions, metricOptionsJson, runMetricOptions, type MetricOptionsInput } from './metric-options.ts'
import { loadDataset } from './load-dataset.ts'
import type { Platform } from './platform.ts'
import { checkWish, deviceIds, wishOf, type WishInput } from './wish.ts'

/** What to evaluate, on what, and how. */
export interface StartRunInput extends WishInput {
  readonly checkpointId: string
  readonly datasetId: string
  readonly name?: string | null | undefined
  /** By default what suits the architecture. */
  readonly batchSize?: number | null | undefined
  /** 0.5 by default. */
  readonly threshold?: number | null | undefined
  /** true by default. */
  readonly strict?: boolean | null | undefined
  /** By default storages stay where their tags say. */
  readonly mapLocation?: MapLocationInput | null | undefined
  readonly keyMapping?: KeyMappingInput | null | undefined
  readonly metrics?: MetricOptionsInput | null | undefined
  /** Columns that divide the samples: `hospital`, `age:10`. */
  readonly slices?: readonly string[] | null | undefined
  /** Whether what the model says about each sample is kept; by default where it is not too much. */
  readonly keepSamples?: boolean | null | undefined
}

/** Shards of one statement. */
const ROWS = 1000

/**
 * Checks that checkpoint, architecture, dataset and device fit; then one transaction writes the run, its shards, their queue entries
 * and the first event: all of it is there, or nothing.
 * @throws AppError BAD_INPUT, NOT_FOUND, BINDING_FAILED, DATASET_SHAPE_MISMATCH, DATASET_LABEL_UNKNOWN, DEVICE_UNAVAILABLE,
 * ARCHITECTURE_UNSUPPORTED_OPERATOR.
 */
export async function startRun(platform: Platform, input: StartRunInput): Promise<RunRow> {
  const { store, limits, clock } = platform
  const name = input.name == null ? null : checkName('the name of the run', input.name, limits.nameLength)
  const wish = wishOf(input)
  const strict = input.strict ?? true
  const keyMapping = keyMappingOf(input.keyMapping)
  const threshold = checkThreshold(input.threshold ?? 0.5)
  if (input.batchSize != null) checkBatchSize(input.batchSize, limits.batchSize)

  const checkpoint = await findCheckpoint(platform, input.checkpointId)
  const dataset = await loadDataset(platform, input.datasetId)
  requireBound(await bindStored(platform, checkpoint, { strict, keyMapping }))
  const graph = architectureGraph(checkpoint.model.architecture)
  const { task, classes } = checkpoint.model
  if (dataset.rows === 0n)
    throw new AppError('BAD_INPUT', `dataset ${dataset.name} version ${dataset.version} has no samples to evaluate on`)
  const metricOptions = metricOptionsJson(input.metrics)
  const options = runMetricOptions({ metricOptions: metricOptions as RunRow['metricOptions'], threshold })
  const facts = datasetFacts(dataset, dataset.columns)
  const fit = fitDataset({ graph, task, classes, ignoreIndex: options.ignoreIndex }, facts)
  checkMetricOptions(task, fit.classes, options)
  const sliceKeys = fitSlices(input.slices ?? [], facts).map(({ key }) => key)
  const perSample = sampleBytes(task, logitsWidth(graph, task), fit.labels.perSample)
  const keepsSamples = decideToKeep(
    input.keepSamples ?? null,
    Number(dataset.rows) * perSample,
    limits.keptSamplesBytes,
  )
  const devices = await liveDevices(platform)
  checkWish(wish, graph, devices)
  checkSavedLocations(await savedLocations(platform, checkpoint), input.mapLocation ?? null, deviceIds(devices))
  const batchSize = input.batchSize ?? Math.min(defaultBatchSize(graph), limits.batchSize)

  const queued = store.prisma.$transaction(async (tx) => {
    // The database client makes the id: version 7, whose order is that of time, which lists go by.
    const { id: runId } = await tx.run.create({
      data: {
        name,
        modelId: checkpoint.modelId,
        checkpointId: checkpoint.id,
        datasetId: dataset.id,
        ...{ device: wish.device, engine: wish.engine, computeDType: wish.computeDType },
        batchSize,
        threshold,
        metricOptions: metricOptions ?? Prisma.DbNull,
        sliceKeys,
        keepsSamples,
        strict,
        mapLocation: mapLocationJson(input.mapLocation ?? null) ?? Prisma.DbNull,
        keyMapping: keyMapping === null ? Prisma.DbNull : keyMappingJson(keyMapping),
        total: dataset.rows,
        createdAt: clock(),
      },
      select: { id: true },
    })
    const shards = shardRows(dataset.rows, limits.shardRows).map(([firstRow, endRow], index) => ({
      runId,
      index,
      firstRow,
      endRow,
    }))
    await inChunks(shards, ROWS, (data) => tx.shard.createMany({ data: [...data] }))
    await store.queue.enqueue(
      tx,
      shards.map(({ index }) => ({ runId, shard: index })),
    )
    await store.events.append(tx, runId, 'STATUS', { status: 'QUEUED' })
    return await tx.run.findUniqueOrThrow({ where: { id: runId } })
  })
  return await queued.catch((error: unknown) => {
    if (!isForeignKeyViolation(error)) throw error
    throw new AppError('NOT_FOUND', 'the checkpoint or the dataset was deleted just now', { cause: error })
  })
}

/** The location tags of a checkpoint's storages, each once. */
export async function savedLocations({ store }: Platform, { id }: Pick<StoredCheckpoint, 'id'>): Promise<string[]> {
  const found = await store.prisma.checkpointStorage.findMany({
    where: { checkpointId: id },
    distinct: ['location'],
    orderBy: { index: 'asc' },
    select: { location: true },
  })
  return found.map(({ location }) => location)
}

function checkBatchSize(batchSize: number, limit: number): void {
  if (!(Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= limit))
    throw new AppError('BAD_INPUT', `the batch size is ${batchSize}; a whole number from 1 to ${limit} is expected`)
}

/** @throws AppError BAD_INPUT when it is no probability. */
export function checkThreshold(threshold: number): number {
  if (!(threshold >= 0 && threshold <= 1))
    throw new AppError('BAD_INPUT', `the threshold is ${threshold}; a probability from 0 to 1 is expected`)
  return threshold
}

/** Ranges [first, end) that cover all rows, each of at most `size`, and as even as can be. */
export function shardRows(rows: bigint, size: number): (readonly [firstRow: bigint, endRow: bigint])[] {
  const count = (rows + BigInt(size) - 1n) / BigInt(size)
  return Array.from({ length: Number(count) }, (_, i) => [(rows * BigInt(i)) / count, (rows * BigInt(i + 1)) / count])
}
