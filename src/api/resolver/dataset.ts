import type { DatasetResolvers } from '../generated/resolvers.ts'
import { encodeId } from '../object-id.ts'
import { connection, pageRequest } from '../page.ts'

/** Fields of `Dataset` that are no columns. */
export const datasetResolvers: DatasetResolvers = {
  id: ({ id }) => encodeId('Dataset', id),
  labelNames: async ({ id }, _arguments, { loaders }) => {
    const columns = await loaders.columns.load(id)
    return columns.find(({ role }) => role === 'LABEL')?.names ?? []
  },
  columns: ({ id }, _arguments, { loaders }) => loaders.columns.load(id),
  storage: ({ id }, _arguments, { loaders }) => loaders.storageShare.Dataset.load(id),
  runs: async ({ id }, page, { loaders }) =>
    connection('Run', await loaders.runsOfDataset.load({ parent: id, ...pageRequest('Run', page) })),
}
