import { isDType, itemSize } from '../../tensor/index.ts'
import { viewHash } from '../../usecase/index.ts'
import type { CheckpointResolvers, GlobalReference, TensorInfoResolvers } from '../generated/resolvers.ts'
import type { TensorRecord } from '../loader/index.ts'
import { encodeId } from '../object-id.ts'
import { connection, pageRequest } from '../page.ts'
import { downloadRecord } from './download.ts'
import { knownCode } from './known-code.ts'
import { required } from './required.ts'
import { valuesResolver } from './values.ts'

/** Fields of `Checkpoint` that are no columns. */
export const checkpointResolvers: CheckpointResolvers = {
  id: ({ id }) => encodeId('Checkpoint', id),
  model: ({ modelId }, _arguments, { loaders }) => required(loaders.model, modelId),
  tensors: ({ id }, _arguments, { loaders }) => loaders.tensors.load(id),
  tree: ({ id }, _arguments, { loaders }) => loaders.tree.load(id),
  values: valuesResolver,
  globals: ({ globals }) => globals as unknown as GlobalReference[],
  locations: ({ id }, _arguments, { loaders }) => loaders.locations.load(id),
  statisticsStatus: async ({ id }, _arguments, { loaders }) =>
    (await loaders.statisticsInspection.load(id))?.status ?? 'PENDING',
  statisticsError: async ({ id }, _arguments, { loaders }) => {
    const inspection = await loaders.statisticsInspection.load(id)
    if (inspection?.status !== 'FAILED') return null
    const { errorCode, errorMessage } = inspection
    return { code: knownCode(errorCode ?? ''), message: errorMessage ?? '', path: null }
  },
  binding: ({ id }, _arguments, { loaders }) => loaders.binding.load(id),
  storage: ({ id }, _arguments, { loaders }) => loaders.storageShare.Checkpoint.load(id),
  download: ({ id }, args) => downloadRecord(id, args),
  runs: async ({ id }, page, { loaders }) => ({
    ...connection('Run', await loaders.runsOfCheckpoint.load({ parent: id, ...pageRequest('Run', page) })),
    where: { checkpointId: id },
  }),
}

/** Fields of `TensorInfo` that are no columns. */
export const tensorInfoResolvers: TensorInfoResolvers = {
  bytes: byteLength,
  storageSha256: ({ storageHash }) => storageHash,
  sharedWith: async ({ checkpointId, key, storageIndex }, _arguments, { loaders }) =>
    (keysByStorage(await loaders.tensors.load(checkpointId)).get(storageIndex) ?? [])
      .filter((other) => other !== key)
      .slice(0, SHARED_KEYS),
  inOtherCheckpoints: ({ checkpointId, storageHash }, _arguments, { loaders }) =>
    loaders.inOtherCheckpoints.load({ checkpointId, storageHash }),
  statistics: (tensor, _arguments, { loaders }) => loaders.statistics.load(viewHash(tensor)),
}

/** Keys of one storage that are named. */
const SHARED_KEYS = 100

/** Made once for all tensors of a checkpoint. */
const storageKeys = new WeakMap<readonly TensorRecord[], ReadonlyMap<number, readonly string[]>>()

function keysByStorage(tensors: readonly TensorRecord[]): ReadonlyMap<number, readonly string[]> {
  const known = storageKeys.get(tensors)
  if (known !== undefined) return known
  const keys = new Map<number, string[]>()
  for (const { storageIndex, key } of tensors) {
    const sharing = keys.get(storageIndex)
    if (sharing === undefined) keys.set(storageIndex, [key])
    else if (sharing.length <= SHARED_KEYS) sharing.push(key)
  }
  storageKeys.set(tensors, keys)
  return keys
}

/** Bytes of the values, which a view may hold more than once. */
function byteLength({ shape, dtype }: TensorRecord): number {
  const elements = shape.reduce((product, size) => product * size, 1n)
  return Number(elements) * (isDType(dtype) ? itemSize(dtype) : 0)
}
