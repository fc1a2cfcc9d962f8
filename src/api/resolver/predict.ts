import type { MutationResolvers, PredictedSampleResolvers, PredictionResolvers } from '../generated/resolvers.ts'
import { decodeId } from '../object-id.ts'
import { keyMapping, mapLocation, wished } from './input.ts'
import { payload } from './payload.ts'

/** Asks a checkpoint, or says why not. */
export const predictResolver: NonNullable<MutationResolvers['predict']> = (_root, { input }, { predictor }) =>
  payload('prediction', () => {
    const { checkpointId, uploadId, datasetId } = input
    return predictor.predict({
      ...wished(input),
      checkpointId: decodeId('Checkpoint', checkpointId, ['input', 'checkpointId']),
      uploadId: uploadId == null ? null : decodeId('Upload', uploadId, ['input', 'uploadId']),
      datasetId: datasetId == null ? null : decodeId('Dataset', datasetId, ['input', 'datasetId']),
      mapLocation: mapLocation(input.mapLocation),
      keyMapping: keyMapping(input.keyMapping),
    })
  })

/** Fields of `Prediction` that the use case calls otherwise. */
export const predictionResolvers: PredictionResolvers = {
  engineReason: ({ choice }) => choice,
}

/** Fields of `PredictedSample` that JSON says otherwise. */
export const predictedSampleResolvers: PredictedSampleResolvers = {
  logits: ({ logits }) => logits.map((logit) => (Number.isFinite(logit) ? logit : null)),
}
