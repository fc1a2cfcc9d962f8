import { AppError } from '../error.ts'
import {
  commonBytes,
  comparedTensor,
  compareStateDicts,
  equalShare,
  needsBytes,
  type CommonBytes,
  type ComparedTensor,
  type TensorDistance,
} from '../statistics/index.ts'
import type { InspectionStatus } from '../store/index.ts'
import { loadStateDict } from './load-state-dict.ts'
import type { Platform } from './platform.ts'
import { queueComparison } from './queue-inspection.ts'

/** Two checkpoints side by side. */
export interface CheckpointComparison {
  readonly baseId: string
  readonly otherId: string
  /** READY when all distances are known. */
  readonly status: InspectionStatus
  /** Why it FAILED. */
  readonly error: { readonly code: string; readonly message: string } | null
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly tensors: readonly ComparedTensor[]
  readonly storages: CommonBytes
  /** Tensors that are known to be equal, and the share of the bytes of the other's values that they are; null when it has no values. */
  readonly equalTensors: number
  readonly equalShare: number | null
}

/**
 * Compares two checkpoints key by key. What keys, dtypes, shapes and hashes say is answered at once; distances of values that differ are
 * computed by a worker, once for a pair: until then the comparison is PENDING, and is asked for again.
 * @throws AppError NOT_FOUND, BAD_INPUT when both are the same.
 */
export async function compareCheckpoints(
  platform: Platform,
  baseId: string,
  otherId: string,
): Promise<CheckpointComparison> {
  const { prisma } = platform.store
  if (baseId === otherId)
    throw new AppError('BAD_INPUT', 'a checkpoint is compared with itself; give two different ones')
  const found = await prisma.checkpoint.count({ where: { id: { in: [baseId, otherId] } } })
  if (found < 2) throw new AppError('NOT_FOUND', 'there is no checkpoint with one of these ids')
  const other = await loadStateDict(prisma, otherId)
  const { added, removed, shared } = compareStateDicts(await loadStateDict(prisma, baseId), other)
  const inspection = shared.some(needsBytes) ? await queueComparison(platform, baseId, otherId) : null
  const distances = (inspection?.result ?? {}) as unknown as Readonly<Record<string, TensorDistance | undefined>>
  const tensors = shared.map((key) => comparedTensor(key, distances[key.key] ?? null))
  return {
    ...{ baseId, otherId, added, removed, tensors },
    status: inspection?.status ?? 'READY',
    error:
      inspection?.status === 'FAILED'
        ? { code: inspection.errorCode ?? 'INTERNAL', message: inspection.errorMessage ?? '' }
        : null,
    storages: commonBytes(await storagesOf(platform, baseId), await storagesOf(platform, otherId)),
    equalTensors: tensors.filter(({ change }) => change === 'UNCHANGED').length,
    equalShare: equalShare(tensors, [...other.values()]),
  }
}

async function storagesOf({ store }: Platform, checkpointId: string): Promise<ReadonlyMap<string, number>> {
  const rows = await store.prisma.checkpointStorage.findMany({
    where: { checkpointId },
    distinct: ['storageHash'],
    select: { storageHash: true, storage: { select: { byteLength: true } } },
  })
  return new Map(rows.map(({ storageHash, storage }) => [storageHash, Number(storage.byteLength)]))
}
