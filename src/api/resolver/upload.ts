import type { UploadResolvers } from '../generated/resolvers.ts'
import { encodeId } from '../object-id.ts'

/** Fields of `Upload` that are no columns. */
export const uploadResolvers: UploadResolvers = {
  id: ({ id }) => encodeId('Upload', id),
}
