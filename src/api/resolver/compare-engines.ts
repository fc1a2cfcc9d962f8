import { compareEngines } from '../../usecase/index.ts'
import type { ComparedEngineResolvers, ComputeDtype, EngineChoice, QueryResolvers } from '../generated/resolvers.ts'
import { decodeId } from '../object-id.ts'
import { keyMapping } from './input.ts'
import { knownCode } from './known-code.ts'

/** The same samples on every engine that there is. */
export const compareEnginesResolver: NonNullable<QueryResolvers['compareEngines']> = (
  _root,
  { input },
  { platform, predictor },
) =>
  compareEngines(platform, predictor, {
    ...input,
    checkpointId: decodeId('Checkpoint', input.checkpointId, ['input', 'checkpointId']),
    datasetId: decodeId('Dataset', input.datasetId, ['input', 'datasetId']),
    referenceUploadId:
      input.referenceUploadId == null
        ? null
        : decodeId('Upload', input.referenceUploadId, ['input', 'referenceUploadId']),
    keyMapping: keyMapping(input.keyMapping),
  })

/** Fields of `ComparedEngine` that the use case keeps otherwise. */
export const comparedEngineResolvers: ComparedEngineResolvers = {
  engine: ({ engine }) => engine.toUpperCase() as EngineChoice,
  computeDtype: ({ computeDType }) => computeDType.toUpperCase() as ComputeDtype,
  largestDifference: ({ differences }) => differences?.largest ?? null,
  meanDifference: ({ differences }) => differences?.mean ?? null,
  relativeDifference: ({ differences }) => differences?.relative ?? null,
  labelFlips: ({ differences }) => differences?.labelFlips ?? null,
  error: ({ error }) => (error === null ? null : { code: knownCode(error.code), message: error.message, path: null }),
}
