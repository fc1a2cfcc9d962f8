import DataLoader from 'dataloader'
import type { Graph } from '../../architecture/index.ts'
import { AppError } from '../../error.ts'
import type { BindingReport } from '../../evaluation/index.ts'
import type { DatasetColumnRow, MetricRow, Prisma, RunSliceRow, ScoreHistogramRow } from '../../store/index.ts'
import {
  architectureGraph,
  bindCheckpoint,
  storedSamples,
  type Platform,
  type StoredSample,
} from '../../usecase/index.ts'

/** A key of a checkpoint's state_dict with the tensor and the storage behind it. */
export interface TensorRecord {
  readonly checkpointId: string
  readonly key: string
  readonly dtype: string
  readonly shape: readonly bigint[]
  readonly stride: readonly bigint[]
  readonly storageOffset: bigint
  readonly location: string
  readonly storageHash: string
  readonly storageIndex: number
}

/** A PROGRESS event. */
export interface ProgressRecord {
  readonly seq: number
  readonly createdAt: Date
  readonly payload: unknown
}

/** Which points of a run's progress. */
export interface ProgressRequest {
  readonly runId: string
  readonly points: number
}

/** A sample of a dataset. */
export interface SampleRequest {
  readonly datasetId: string
  readonly row: number
}

/** A line of a run's log. */
export interface LogRecord {
  readonly createdAt: Date
  readonly payload: unknown
}

/** Which lines of a log. */
export interface LogRequest {
  readonly runId: string
  readonly last: number
}

/** What belongs to rows, by their UUID: one statement each for all that is asked for at a time. */
export interface DetailLoaders {
  /** The graph of an architecture. */
  readonly graph: DataLoader<string, Graph>
  /** The confusion matrix of a run. */
  readonly confusion: DataLoader<string, unknown>
  /** The reliability diagram of a run. */
  readonly reliability: DataLoader<string, unknown>
  /** How often each class got which score in a run. */
  readonly scores: DataLoader<string, readonly ScoreHistogramRow[]>
  /** Metrics over parts of the samples of a run. */
  readonly slices: DataLoader<string, readonly RunSliceRow[]>
  readonly tensors: DataLoader<string, readonly TensorRecord[]>
  /** Location tags of a checkpoint's storages, each once, in order of the alphabet. */
  readonly locations: DataLoader<string, readonly string[]>
  readonly columns: DataLoader<string, readonly DatasetColumnRow[]>
  readonly metrics: DataLoader<string, readonly MetricRow[]>
  /** Those metrics that speak for a whole run. */
  readonly summary: DataLoader<string, readonly MetricRow[]>
  /** Samples of datasets, null where there is none. */
  readonly sample: DataLoader<SampleRequest, StoredSample | null, string>
  /** Progress events, thinned. */
  readonly progress: DataLoader<ProgressRequest, readonly ProgressRecord[], string>
  readonly log: DataLoader<LogRequest, readonly LogRecord[], string>
  /** How a checkpoint fits its model's architecture as it is. */
  readonly binding: DataLoader<string, BindingReport>
}

/** Of the metrics of a run, those that speak for the whole of it, one for each name: what the index of runs by a metric holds. */
export const WHOLE_METRICS = {
  class: null,
  OR: [{ average: null }, { average: 'macro' }],
} satisfies Prisma.MetricWhereInput

const TENSORS = `
  select entry."checkpointId", entry.key, tensor.dtype, tensor.shape, tensor.stride, tensor."storageOffset",
    storage.location, storage.index as "storageIndex", storage."storageHash"
  from "StateDictEntry" entry
  join "Tensor" tensor on tensor."checkpointId" = entry."checkpointId" and tensor.index = entry."tensorIndex"
  join "CheckpointStorage" storage
    on storage."checkpointId" = tensor."checkpointId" and storage.index = tensor."storageIndex"
  where entry."checkpointId" = any($1::uuid[])
  order by entry."checkpointId", entry.position`

const LOCATIONS = `
  select "checkpointId", array_agg(distinct location order by location) as locations
  from "CheckpointStorage" where "checkpointId" = any($1::uuid[]) group by "checkpointId"`

// The inner query walks the events of a run from the end and stops after `last` lines.
const LOG = `
  select wanted.at::int as at, line."createdAt", line.payload
  from unnest($1::uuid[], $2::int[]) with ordinality as wanted(run, last, at)
  cross join lateral (
    select seq, "createdAt", payload from "RunEvent"
    where "runId" = wanted.run and kind = 'LOG' order by seq desc limit wanted.last
  ) line
  order by wanted.at, line.seq`

// Every n-th event from the end, so that the last one is among them and a run that goes on shows the same ones for a while.
const PROGRESS = `
  select wanted.at::int as at, point.seq, point."createdAt", point.payload
  from unnest($1::uuid[], $2::int[]) with ordinality as wanted(run, points, at)
  cross join lateral (
    select seq, "createdAt", payload, row_number() over (order by seq desc) - 1 as back, count(*) over () as total
    from "RunEvent" where "runId" = wanted.run and kind = 'PROGRESS'
  ) point
  where point.back % greatest(1, ceil(point.total::float8 / wanted.points)::bigint) = 0
  order by wanted.at, point.seq`

/** Loaders of what belongs to rows, with an empty memory. */
export function detailLoaders(platform: Platform): DetailLoaders {
  const { prisma } = platform.store
  const anyOf = (ids: readonly string[]) => ({ id: { in: [...ids] } })
  return {
    graph: valueOf(
      (ids) => prisma.architecture.findMany({ where: anyOf(ids), select: { id: true, graph: true } }),
      (row) => architectureGraph(row),
    ),
    confusion: valueOf(
      (ids) => prisma.run.findMany({ where: anyOf(ids), select: { id: true, confusion: true } }),
      ({ confusion }): unknown => confusion,
    ),
    reliability: valueOf(
      (ids) => prisma.run.findMany({ where: anyOf(ids), select: { id: true, reliability: true } }),
      ({ reliability }): unknown => reliability,
    ),
    scores: manyOf(
      (ids) => prisma.scoreHistogram.findMany({ where: { runId: { in: [...ids] } }, orderBy: { position: 'asc' } }),
      ({ runId }) => runId,
    ),
    slices: manyOf(
      (ids) => prisma.runSlice.findMany({ where: { runId: { in: [...ids] } }, orderBy: { position: 'asc' } }),
      ({ runId }) => runId,
    ),
    tensors: manyOf(
      (ids) => prisma.$queryRawUnsafe<TensorRecord[]>(TENSORS, ids),
      ({ checkpointId }) => checkpointId,
    ),
    locations: new DataLoader(async (ids) => {
      const rows = await prisma.$queryRawUnsafe<{ checkpointId: string; locations: string[] }[]>(LOCATIONS, ids)
      const found = new Map(rows.map(({ checkpointId, locations }) => [checkpointId, locations]))
      return ids.map((id) => found.get(id) ?? [])
    }),
    columns: manyOf(
      (ids) => prisma.datasetColumn.findMany({ where: { datasetId: { in: [...ids] } }, orderBy: { index: 'asc' } }),
      ({ datasetId }) => datasetId,
    ),
    metrics: manyOf(
      (ids) => prisma.metric.findMany({ where: { runId: { in: [...ids] } }, orderBy: { position: 'asc' } }),
      ({ runId }) => runId,
    ),
    summary: manyOf(
      (ids) =>
        prisma.metric.findMany({
          where: { runId: { in: [...ids] }, ...WHOLE_METRICS },
          orderBy: { position: 'asc' },
        }),
      ({ runId }) => runId,
    ),
    sample: new DataLoader<SampleRequest, StoredSample | null, string>(
      async (requests) => {
        const rowsOf = groupBy(requests, ({ datasetId }) => datasetId)
        const found = new Map<string, StoredSample>()
        for (const [datasetId, wanted] of rowsOf) {
          const rows = wanted.map(({ row }) => row)
          for (const sample of await storedSamples(platform, datasetId, rows)) found.set(sampleKey(sample), sample)
        }
        return requests.map((request) => found.get(sampleKey(request)) ?? null)
      },
      { cacheKeyFn: sampleKey },
    ),
    progress: new DataLoader<ProgressRequest, readonly ProgressRecord[], string>(
      async (requests) => {
        const points = await prisma.$queryRawUnsafe<(ProgressRecord & { readonly at: number })[]>(
          PROGRESS,
          requests.map(({ runId }) => runId),
          requests.map(({ points }) => points),
        )
        const found = groupBy(points, ({ at }) => at - 1)
        return requests.map((_request, at) => found.get(at) ?? [])
      },
      { cacheKeyFn: ({ runId, points }) => `${runId} ${points}` },
    ),
    log: new DataLoader<LogRequest, readonly LogRecord[], string>(
      async (requests) => {
        const lines = await prisma.$queryRawUnsafe<(LogRecord & { readonly at: number })[]>(
          LOG,
          requests.map(({ runId }) => runId),
          requests.map(({ last }) => last),
        )
        const found = groupBy(lines, ({ at }) => at - 1)
        return requests.map((_request, at) => found.get(at) ?? [])
      },
      { cacheKeyFn: ({ runId, last }) => `${runId} ${last}` },
    ),
    binding: new DataLoader((ids) =>
      Promise.all(
        ids.map((checkpointId) => bindCheckpoint(platform, { checkpointId }).catch((error: unknown) => error as Error)),
      ),
    ),
  }
}

const sampleKey = ({ datasetId, row }: SampleRequest): string => `${datasetId} ${row}`

function valueOf<Row extends { readonly id: string }, Value>(
  find: (ids: readonly string[]) => Promise<readonly Row[]>,
  pick: (row: Row) => Value,
): DataLoader<string, Value> {
  return new DataLoader(async (ids) => {
    const rows = new Map((await find(ids)).map((row) => [row.id, row]))
    return ids.map((id): Value | Error => {
      const row = rows.get(id)
      return row === undefined ? new AppError('NOT_FOUND', 'it was deleted while this was read') : pick(row)
    })
  })
}

function manyOf<Row>(
  find: (ids: readonly string[]) => Promise<readonly Row[]>,
  parentOf: (row: Row) => string,
): DataLoader<string, readonly Row[]> {
  return new DataLoader(async (ids) => {
    const groups = groupBy(await find(ids), parentOf)
    return ids.map((id) => groups.get(id) ?? [])
  })
}

// Map.groupBy came with Node 21.
function groupBy<Key, Row>(rows: readonly Row[], keyOf: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>()
  for (const row of rows) {
    const key = keyOf(row)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return groups
}
