import {
  cancelRun,
  createModel,
  deleteUpload,
  importCheckpoint,
  importDataset,
  type CreateModelInput,
} from '../../usecase/index.ts'
import type { ArchitectureInput, MutationResolvers } from '../generated/resolvers.ts'
import { decodeId } from '../object-id.ts'
import { imageOptions } from './input.ts'
import { payload } from './payload.ts'
import { predictResolver } from './predict.ts'
import { startRunResolver } from './start-run.ts'
import { storageMutations } from './storage.ts'

/** What can be done. An expected failure is data of the payload; any other is an error of the response. */
export const mutationResolvers: MutationResolvers = {
  createModel: (_root, { input }, { platform }) =>
    payload('model', () => createModel(platform, { ...input, architecture: architectureOf(input.architecture) })),
  createCheckpoint: (_root, { input }, { platform }) =>
    payload('checkpoint', () =>
      importCheckpoint(platform, {
        ...input,
        modelId: decodeId('Model', input.modelId, ['input', 'modelId']),
        uploadId: decodeId('Upload', input.uploadId, ['input', 'uploadId']),
        shardUploadIds: input.shardUploadIds?.map((id, i) =>
          decodeId('Upload', id, ['input', 'shardUploadIds', String(i)]),
        ),
      }),
    ),
  createDataset: (_root, { input }, { platform }) =>
    payload('dataset', () =>
      importDataset(platform, {
        ...input,
        uploadId: decodeId('Upload', input.uploadId, ['input', 'uploadId']),
        images: imageOptions(input.images),
      }),
    ),
  startRun: startRunResolver,
  predict: predictResolver,
  cancelRun: (_root, { input }, { platform }) =>
    payload('run', () => cancelRun(platform, { runId: decodeId('Run', input.runId, ['input', 'runId']) })),
  ...storageMutations,
  deleteUpload: (_root, { input: { uploadId } }, { platform }) =>
    payload('deletedId', async () => {
      await deleteUpload(platform, { uploadId: decodeId('Upload', uploadId, ['input', 'uploadId']) })
      return uploadId
    }),
}

function architectureOf(input: ArchitectureInput): CreateModelInput['architecture'] {
  if (input.uploadId !== undefined)
    return { uploadId: decodeId('Upload', input.uploadId, ['input', 'architecture', 'uploadId']) }
  if (input.architectureId !== undefined)
    return {
      architectureId: decodeId('Architecture', input.architectureId, ['input', 'architecture', 'architectureId']),
    }
  return { layers: input.layers }
}
