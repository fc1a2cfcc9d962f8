import { previewDataset } from '../../usecase/index.ts'
import type { DatasetColumnResolvers, DatasetResolvers, Preprocess } from '../generated/resolvers.ts'
import { encodeId } from '../object-id.ts'
import { connection, pageRequest } from '../page.ts'

/** Fields of `Dataset` that are no columns. */
export const datasetResolvers: DatasetResolvers = {
  id: ({ id }) => encodeId('Dataset', id),
  preview: ({ id }, _arguments, { platform }) => previewDataset(platform, id),
  labelNames: async ({ id }, _arguments, { loaders }) => {
    const columns = await loaders.columns.load(id)
    return columns.find(({ role }) => role === 'LABEL')?.names ?? []
  },
  columns: ({ id }, _arguments, { loaders }) => loaders.columns.load(id),
  storage: ({ id }, _arguments, { loaders }) => loaders.storageShare.Dataset.load(id),
  runs: async ({ id }, page, { loaders }) =>
    connection('Run', await loaders.runsOfDataset.load({ parent: id, ...pageRequest('Run', page) })),
}

/** Fields of `DatasetColumn` that the database keeps otherwise. */
export const datasetColumnResolvers: DatasetColumnResolvers = {
  preprocess: ({ preprocess }) => preprocess as Preprocess | null,
}
