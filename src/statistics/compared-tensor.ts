import { numel } from '../tensor/index.ts'
import { valueBytes, type HashedTensor, type SharedKey } from './compare-state-dicts.ts'
import type { TensorDistance } from './tensor-distance.ts'

/** What became of a key that both checkpoints have. A change of shape counts before one of dtype, and that before one of values. */
export type TensorChange = 'UNCHANGED' | 'VALUES' | 'DTYPE' | 'SHAPE'

/** A key that both checkpoints have, with what is known of its values. */
export interface ComparedTensor extends Pick<SharedKey, 'key' | 'base' | 'other' | 'reason'> {
  /** Null while that is not known. */
  readonly change: TensorChange | null
  /** Null while it is not known, and where `reason` says why there is none. */
  readonly distance: TensorDistance | null
}

/** A tensor that is equal is at no distance, whatever its values are: also where all of them are zero. */
const NO_DISTANCE = { l2: 0, relativeL2: 0, maxAbsDifference: 0, cosineSimilarity: 1, cosineDistance: 0 } as const

/** A key with its distance, where that was computed. */
export function comparedTensor(shared: SharedKey, found: TensorDistance | null): ComparedTensor {
  const { key, base, other, reason } = shared
  const identical = shared.sameBytes || found?.identical === true
  const distance = identical
    ? { elements: numel(other.shape), notFinite: found?.notFinite ?? 0, identical: true, ...NO_DISTANCE }
    : found
  return { key, base, other, reason, change: changeOf(shared, identical, found !== null), distance }
}

function changeOf(
  { shapeChanged, dtypeChanged, reason }: SharedKey,
  identical: boolean,
  known: boolean,
): TensorChange | null {
  if (shapeChanged) return 'SHAPE'
  if (dtypeChanged) return 'DTYPE'
  if (identical) return 'UNCHANGED'
  return known || reason !== null ? 'VALUES' : null
}

/** The share of the bytes of all values of `other` that are in tensors which are known to be equal; null when it has no values. */
export function equalShare(tensors: readonly ComparedTensor[], other: readonly HashedTensor[]): number | null {
  const sum = (all: readonly HashedTensor[]): number => all.reduce((total, tensor) => total + valueBytes(tensor), 0)
  const total = sum(other)
  const equal = tensors.filter(({ change }) => change === 'UNCHANGED')
  return total === 0 ? null : sum(equal.map((tensor) => tensor.other)) / total
}
