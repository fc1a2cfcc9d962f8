import type { ModelResolvers } from '../generated/resolvers.ts'
import { encodeId } from '../object-id.ts'
import { connection, pageRequest } from '../page.ts'
import { required } from './required.ts'

/** Fields of `Model` that are no columns. */
export const modelResolvers: ModelResolvers = {
  id: ({ id }) => encodeId('Model', id),
  architecture: ({ architectureId }, _arguments, { loaders }) => required(loaders.architecture, architectureId),
  checkpoints: async ({ id }, page, { loaders }) =>
    connection('Checkpoint', await loaders.checkpointsOfModel.load({ parent: id, ...pageRequest('Checkpoint', page) })),
  storage: ({ id }, _arguments, { loaders }) => loaders.storageShare.Model.load(id),
  runs: async ({ id }, page, { loaders }) => ({
    ...connection('Run', await loaders.runsOfModel.load({ parent: id, ...pageRequest('Run', page) })),
    where: { modelId: id },
  }),
}
