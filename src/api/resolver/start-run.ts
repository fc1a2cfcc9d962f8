import { AppError } from '../../error.ts'
import { bindCheckpoint, startRun, type BindCheckpointInput } from '../../usecase/index.ts'
import type { MutationResolvers, StartRunPayloadResolvers } from '../generated/resolvers.ts'
import { decodeId } from '../object-id.ts'
import { keyMapping, mapLocation, wished } from './input.ts'
import { payload } from './payload.ts'

/** Queues a run, or says why not. */
export const startRunResolver: NonNullable<MutationResolvers['startRun']> = async (_root, { input }, { platform }) => {
  let binding: BindCheckpointInput | null = null
  const answer = await payload('run', () => {
    const { strict } = input
    const checkpointId = decodeId('Checkpoint', input.checkpointId, ['input', 'checkpointId'])
    const mapping = keyMapping(input.keyMapping)
    binding = { checkpointId, strict, keyMapping: mapping }
    return startRun(platform, {
      ...wished(input),
      checkpointId,
      datasetId: decodeId('Dataset', input.datasetId, ['input', 'datasetId']),
      mapLocation: mapLocation(input.mapLocation),
      keyMapping: mapping,
    })
  })
  return { ...answer, binding }
}

/** Fields of `StartRunPayload` that take work. */
export const startRunPayloadResolvers: StartRunPayloadResolvers = {
  binding: async ({ binding }, _arguments, { platform }) => {
    if (binding === null) return null
    try {
      return await bindCheckpoint(platform, binding)
    } catch (error) {
      // What hinders the report hindered the run, and is among its errors.
      if (error instanceof AppError) return null
      throw error
    }
  },
}
