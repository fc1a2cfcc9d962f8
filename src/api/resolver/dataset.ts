import { previewDataset, storedSamples } from '../../usecase/index.ts'
import type {
  DatasetColumnResolvers,
  DatasetResolvers,
  DatasetSampleResolvers,
  Preprocess,
} from '../generated/resolvers.ts'
import { InputError } from '../input-error.ts'
import { encodeId } from '../object-id.ts'
import { sampleImagePath } from '../http/sample-image-path.ts'
import { connection, MAX_PAGE, pageRequest } from '../page.ts'

/** Fields of `Dataset` that are no columns. */
export const datasetResolvers: DatasetResolvers = {
  id: ({ id }) => encodeId('Dataset', id),
  preview: ({ id }, _arguments, { platform }) => previewDataset(platform, id),
  samples: ({ id }, { rows }, { platform }) => {
    if (rows.length > MAX_PAGE)
      throw new InputError('BAD_INPUT', `${rows.length} rows; ${MAX_PAGE} can be asked for at a time`, ['rows'])
    return storedSamples(platform, id, rows)
  },
  labelNames: async ({ id }, _arguments, { loaders }) => {
    const columns = await loaders.columns.load(id)
    return columns.find(({ role }) => role === 'LABEL')?.names ?? []
  },
  columns: ({ id }, _arguments, { loaders }) => loaders.columns.load(id),
  storage: ({ id }, _arguments, { loaders }) => loaders.storageShare.Dataset.load(id),
  runs: async ({ id }, page, { loaders }) => ({
    ...connection('Run', await loaders.runsOfDataset.load({ parent: id, ...pageRequest('Run', page) })),
    where: { datasetId: id },
  }),
}

/** Fields of `DatasetSample` that are made for the API. */
export const datasetSampleResolvers: DatasetSampleResolvers = {
  imageUrl: ({ datasetId, row, isImage }) => (isImage ? sampleImagePath(encodeId('Dataset', datasetId), row) : null),
}

/** Fields of `DatasetColumn` that the database keeps otherwise. */
export const datasetColumnResolvers: DatasetColumnResolvers = {
  preprocess: ({ preprocess }) => preprocess as Preprocess | null,
}
