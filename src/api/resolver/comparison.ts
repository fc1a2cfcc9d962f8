import { compareCheckpoints } from '../../usecase/index.ts'
import type {
  CheckpointComparisonResolvers,
  QueryResolvers,
  TensorComparisonResolvers,
} from '../generated/resolvers.ts'
import { InputError } from '../input-error.ts'
import { decodeId } from '../object-id.ts'
import { knownCode } from './known-code.ts'
import { required } from './required.ts'

/** `Query.compareCheckpoints`. */
export const compareCheckpointsResolver: NonNullable<QueryResolvers['compareCheckpoints']> = (
  _root,
  { ids },
  { platform },
) => {
  const [base, other] = ids
  if (base === undefined || other === undefined || ids.length !== 2)
    throw new InputError('BAD_INPUT', `${ids.length} ids are given; two are compared`, ['ids'])
  return compareCheckpoints(
    platform,
    decodeId('Checkpoint', base, ['ids', '0']),
    decodeId('Checkpoint', other, ['ids', '1']),
  )
}

/** Fields of `CheckpointComparison`. */
export const checkpointComparisonResolvers: CheckpointComparisonResolvers = {
  base: ({ baseId }, _arguments, { loaders }) => required(loaders.checkpoint, baseId),
  other: ({ otherId }, _arguments, { loaders }) => required(loaders.checkpoint, otherId),
  error: ({ error }) => (error === null ? null : { code: knownCode(error.code), message: error.message, path: null }),
  tensors: ({ tensors }, { changes }) =>
    changes == null ? tensors : tensors.filter(({ change }) => change !== null && changes.includes(change)),
}

/** Fields of `TensorComparison`. */
export const tensorComparisonResolvers: TensorComparisonResolvers = {
  baseDtype: ({ base }) => base.dtype,
  otherDtype: ({ other }) => other.dtype,
  baseShape: ({ base }) => base.shape,
  otherShape: ({ other }) => other.shape,
}
