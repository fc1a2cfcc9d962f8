import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { TensorView } from '../../checkpoint/index.ts'
import { AppError } from '../../error.ts'
import { valueBytes, type SharedKey, type TensorDistance } from '../../statistics/index.ts'
import type { InspectionJob } from '../../store/index.ts'
import {
  failInspection,
  finishComparison,
  finishStatistics,
  planInspection,
  storeStatistics,
  type ComputedStatistics,
  type InspectionPlan,
  type Platform,
  type StoredTensor,
  type WantedStatistics,
} from '../../usecase/index.ts'
import type { BlobCache, BlobLease } from '../blob-cache/index.ts'
import { openInspectionThread, type InspectionThread } from './open-inspection-thread.ts'
import type { RunGate } from './run-gate.ts'
import type { TensorInFile } from './thread-protocol.ts'

/** What an inspection is done with. */
export interface InspectionBench {
  readonly platform: Platform
  /** Storages come through the cache: verified, once, and there for the run that most likely follows. */
  readonly blobs: BlobCache
  readonly gate: RunGate
}

/** What is fetched together: its files stay on this machine until it is done, and what was found is stored after it. */
const BATCH = { bytes: 64 * 2 ** 20, items: 256 }
/** Storages that are fetched at a time: small ones are mostly waiting. */
const FETCHED_AT_ONCE = 4

/** Computes what an inspection wants and writes it. What will fail the same way next time ends it; anything else is thrown. */
export async function inspectJob(bench: InspectionBench, job: InspectionJob): Promise<void> {
  const { platform, gate } = bench
  const plan = await planInspection(platform, job.id)
  if (plan === null) return
  try {
    if (isEmpty(plan)) await finish(bench, plan, new Map(), job)
    else {
      await using thread = openInspectionThread({ programs: platform.programs, gate, signal: job.signal })
      await finish(bench, plan, await compute(bench, plan, thread, job), job)
    }
  } catch (error) {
    if (job.signal.aborted) throw error
    if (!(error instanceof AppError)) throw masked(platform, job, error)
    await failInspection(platform, { id: job.id, code: error.code, message: error.message })
  }
}

/** What goes on is an id: what was thrown may tell more than a user is meant to see. */
function masked({ log }: Platform, { id }: InspectionJob, error: unknown): Error {
  const errorId = randomUUID()
  log.error({ err: error, inspectionId: id, errorId }, 'an inspection failed unexpectedly')
  return new Error(`internal error ${errorId}: the log of worker ${hostname()} says more`)
}

const isEmpty = (plan: InspectionPlan): boolean =>
  plan.kind === 'statistics' ? plan.wanted.length === 0 : plan.pairs.length === 0

async function finish(
  { platform }: InspectionBench,
  plan: InspectionPlan,
  distances: ReadonlyMap<string, TensorDistance>,
  job: InspectionJob,
): Promise<void> {
  if (plan.kind === 'statistics') await finishStatistics(platform, plan.checkpointId, job)
  else await finishComparison(platform, distances, job)
}

/** Distances are returned, statistics stored as they come: they are found by content, whatever becomes of this inspection. */
async function compute(
  bench: InspectionBench,
  plan: InspectionPlan,
  thread: InspectionThread,
  job: InspectionJob,
): Promise<ReadonlyMap<string, TensorDistance>> {
  const distances = new Map<string, TensorDistance>()
  if (plan.kind === 'statistics') {
    // Views of one storage come together: it is fetched once.
    const wanted = [...plan.wanted].sort((a, b) => (a.tensor.storageHash < b.tensor.storageHash ? -1 : 1))
    for (const batch of batches(wanted, ({ tensor }) => valueBytes(tensor)))
      await computeStatistics(bench, batch, thread, job)
  } else
    for (const batch of batches(plan.pairs, ({ base, other }) => valueBytes(base) + valueBytes(other)))
      for (const [key, distance] of await computeDistances(bench, batch, thread, job)) distances.set(key, distance)
  return distances
}

async function computeStatistics(
  bench: InspectionBench,
  batch: readonly WantedStatistics[],
  thread: InspectionThread,
  { signal }: InspectionJob,
): Promise<void> {
  await using lease = bench.blobs.lease()
  await fetchAll(bench.gate, lease, new Set(batch.map(({ tensor }) => tensor.storageHash)), signal)
  const computed: ComputedStatistics[] = []
  for (const { viewHash, tensor } of batch)
    computed.push({
      viewHash,
      storageHash: tensor.storageHash,
      statistics: await thread.statistics(await inFile(lease, tensor)),
    })
  signal.throwIfAborted()
  await storeStatistics(bench.platform, computed)
}

async function computeDistances(
  bench: InspectionBench,
  batch: readonly SharedKey<StoredTensor>[],
  thread: InspectionThread,
  { signal }: InspectionJob,
): Promise<ReadonlyMap<string, TensorDistance>> {
  await using lease = bench.blobs.lease()
  const hashes = new Set(batch.flatMap(({ base, other }) => [base.storageHash, other.storageHash]))
  await fetchAll(bench.gate, lease, hashes, signal)
  const found = new Map<string, TensorDistance>()
  for (const { key, base, other } of batch)
    found.set(key, await thread.distance(await inFile(lease, base), await inFile(lease, other)))
  return found
}

const inFile = async (lease: BlobLease, tensor: StoredTensor): Promise<TensorInFile> => {
  const { dtype, shape, stride, storageOffset } = tensor
  const view: TensorView = { dtype, shape, stride, storageOffset }
  return { path: await lease.file(tensor.storageHash), view }
}

async function fetchAll(
  gate: RunGate,
  lease: BlobLease,
  hashes: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const waiting = [...hashes]
  const fetchNext = async (): Promise<void> => {
    for (let hash = waiting.pop(); hash !== undefined; hash = waiting.pop()) await fetchIdly(gate, lease, hash, signal)
  }
  await Promise.all(Array.from({ length: FETCHED_AT_ONCE }, fetchNext))
}

/** Fetches a storage while nothing is evaluated. What is not here yet when a run begins is given up, and begun again after it. */
async function fetchIdly(gate: RunGate, lease: BlobLease, hash: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    await gate.idle(signal)
    signal.throwIfAborted()
    const interruption = gate.interruption()
    try {
      await lease.file(hash, AbortSignal.any([signal, interruption]))
      return
    } catch (error) {
      if (signal.aborted || !interruption.aborted) throw error
    }
  }
}

/** Items in groups of a limited number and size, in order; an item that is larger is a group of its own. */
function* batches<T>(items: readonly T[], bytesOf: (item: T) => number): Generator<readonly T[]> {
  let batch: T[] = []
  let bytes = 0
  for (const item of items) {
    const size = bytesOf(item)
    if (batch.length > 0 && (bytes + size > BATCH.bytes || batch.length >= BATCH.items)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(item)
    bytes += size
  }
  if (batch.length > 0) yield batch
}
