import {
  collectGarbage,
  deleteCheckpoint,
  deleteDataset,
  deleteModel,
  deleteRun,
  verifyStorages,
  type Deleted,
} from '../../usecase/index.ts'
import type { MutationResolvers, StorageVerdictResolvers, VerificationReportResolvers } from '../generated/resolvers.ts'
import { decodeId, encodeId } from '../object-id.ts'
import { loadNode } from './node.ts'
import { payload } from './payload.ts'

/** Fields of `StorageVerdict` that are no properties. */
export const storageVerdictResolvers: StorageVerdictResolvers = {
  bytes: ({ byteLength }) => byteLength,
  usedBy: async ({ sha256 }, _arguments, context) => {
    const users = await context.loaders.storageUsers.load(sha256)
    return await Promise.all(users.map(({ kind, id }) => loadNode(encodeId(kind, id), context)))
  },
}

/** Fields of `VerificationReport` that are no properties. */
export const verificationReportResolvers: VerificationReportResolvers = {
  ok: ({ verdicts }) => verdicts.every(({ status }) => status === 'OK'),
  storages: ({ verdicts }) => verdicts,
}

/** What can be done about what is stored. */
export const storageMutations = {
  deleteRun: (_root, { input }, { platform }) =>
    deletion(input.runId, () => deleteRun(platform, { runId: decodeId('Run', input.runId, ['input', 'runId']) })),
  deleteCheckpoint: (_root, { input }, { platform }) =>
    deletion(input.checkpointId, () =>
      deleteCheckpoint(platform, {
        ...input,
        checkpointId: decodeId('Checkpoint', input.checkpointId, ['input', 'checkpointId']),
      }),
    ),
  deleteDataset: (_root, { input }, { platform }) =>
    deletion(input.datasetId, () =>
      deleteDataset(platform, { ...input, datasetId: decodeId('Dataset', input.datasetId, ['input', 'datasetId']) }),
    ),
  deleteModel: (_root, { input }, { platform }) =>
    deletion(input.modelId, () =>
      deleteModel(platform, { ...input, modelId: decodeId('Model', input.modelId, ['input', 'modelId']) }),
    ),
  collectGarbage: (_root, { input }, { platform }) => payload('garbage', () => collectGarbage(platform, input)),
  verifyCheckpoint: (_root, { input: { checkpointId, after } }, { platform }) =>
    payload('report', async () => {
      const id = decodeId('Checkpoint', checkpointId, ['input', 'checkpointId'])
      return await verifyStorages(platform, { scope: { kind: 'Checkpoint', id }, after })
    }),
  verifyDataset: (_root, { input: { datasetId, after } }, { platform }) =>
    payload('report', async () => {
      const id = decodeId('Dataset', datasetId, ['input', 'datasetId'])
      return await verifyStorages(platform, { scope: { kind: 'Dataset', id }, after })
    }),
  verifyStorages: (_root, { input: { after } }, { platform }) =>
    payload('report', () => verifyStorages(platform, { scope: { kind: 'everything' }, after })),
} satisfies MutationResolvers

const deletion = (id: string, act: () => Promise<Deleted>) => payload('deleted', async () => ({ id, ...(await act()) }))
