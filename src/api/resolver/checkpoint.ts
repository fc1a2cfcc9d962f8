import { isDType, itemSize } from '../../tensor/index.ts'
import type { CheckpointResolvers, GlobalReference, TensorInfoResolvers } from '../generated/resolvers.ts'
import type { TensorRecord } from '../loader/index.ts'
import { encodeId } from '../object-id.ts'
import { connection, pageRequest } from '../page.ts'
import { downloadRecord } from './download.ts'
import { required } from './required.ts'

/** Fields of `Checkpoint` that are no columns. */
export const checkpointResolvers: CheckpointResolvers = {
  id: ({ id }) => encodeId('Checkpoint', id),
  model: ({ modelId }, _arguments, { loaders }) => required(loaders.model, modelId),
  tensors: ({ id }, _arguments, { loaders }) => loaders.tensors.load(id),
  tree: ({ id }, _arguments, { loaders }) => loaders.tree.load(id),
  globals: ({ globals }) => globals as unknown as GlobalReference[],
  locations: ({ id }, _arguments, { loaders }) => loaders.locations.load(id),
  binding: ({ id }, _arguments, { loaders }) => loaders.binding.load(id),
  storage: ({ id }, _arguments, { loaders }) => loaders.storageShare.Checkpoint.load(id),
  download: ({ id }, args) => downloadRecord(id, args),
  runs: async ({ id }, page, { loaders }) =>
    connection('Run', await loaders.runsOfCheckpoint.load({ parent: id, ...pageRequest('Run', page) })),
}

/** Fields of `TensorInfo` that are no columns. */
export const tensorInfoResolvers: TensorInfoResolvers = {
  bytes: byteLength,
  storageSha256: ({ storageHash }) => storageHash,
}

/** Bytes of the values, which a view may hold more than once. */
function byteLength({ shape, dtype }: TensorRecord): number {
  const elements = shape.reduce((product, size) => product * size, 1n)
  return Number(elements) * (isDType(dtype) ? itemSize(dtype) : 0)
}
