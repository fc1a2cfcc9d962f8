import { itemSize, numel, sameShape, type DType, type Shape } from '../tensor/index.ts'
import { incomparable } from './tensor-distance.ts'

/** A tensor of a state_dict: a view of a storage that is known by the hash of its bytes. Offset and strides count elements. */
export interface HashedTensor {
  readonly dtype: DType
  readonly shape: Shape
  readonly stride: readonly number[]
  readonly storageOffset: number
  readonly storageHash: string
}

/** What becomes of a key that both have, before any byte is read. */
export interface SharedKey<Tensor extends HashedTensor = HashedTensor> {
  readonly key: string
  readonly base: Tensor
  readonly other: Tensor
  /** The same view of the same bytes: equal without a look at them. */
  readonly sameBytes: boolean
  readonly dtypeChanged: boolean
  readonly shapeChanged: boolean
  /** Why there is no distance; null when there is one. */
  readonly reason: string | null
}

/** The keys of two state_dicts side by side, in their own order. */
export interface KeyComparison<Tensor extends HashedTensor = HashedTensor> {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly shared: readonly SharedKey<Tensor>[]
}

/** Compares keys, dtypes, shapes and hashes. */
export function compareStateDicts<Tensor extends HashedTensor>(
  base: ReadonlyMap<string, Tensor>,
  other: ReadonlyMap<string, Tensor>,
): KeyComparison<Tensor> {
  const shared: SharedKey<Tensor>[] = []
  for (const [key, left] of base) {
    const right = other.get(key)
    if (right !== undefined) shared.push(compareKey(key, left, right))
  }
  return {
    added: [...other.keys()].filter((key) => !base.has(key)),
    removed: [...base.keys()].filter((key) => !other.has(key)),
    shared,
  }
}

function compareKey<Tensor extends HashedTensor>(key: string, base: Tensor, other: Tensor): SharedKey<Tensor> {
  const shapeChanged = !sameShape(base.shape, other.shape)
  const dtypeChanged = base.dtype !== other.dtype
  const sameBytes =
    !shapeChanged &&
    !dtypeChanged &&
    base.storageHash === other.storageHash &&
    base.storageOffset === other.storageOffset &&
    sameShape(base.stride, other.stride)
  const reason = shapeChanged
    ? `shape [${base.shape.join(', ')}] became [${other.shape.join(', ')}]`
    : incomparable(base.dtype, other.dtype)
  return { key, base, other, sameBytes, dtypeChanged, shapeChanged, reason }
}

/** Whether the distance of a key has to be computed from the bytes. */
export const needsBytes = ({ sameBytes, reason }: Pick<SharedKey, 'sameBytes' | 'reason'>): boolean =>
  !sameBytes && reason === null

/** Bytes of a tensor's values. */
export const valueBytes = ({ dtype, shape }: Pick<HashedTensor, 'dtype' | 'shape'>): number =>
  numel(shape) * itemSize(dtype)

/** Storages of a checkpoint by hash, with their lengths in bytes. */
export type StorageBytes = ReadonlyMap<string, number>

/** Bytes that two checkpoints have in common, as whole storages. */
export interface CommonBytes {
  /** Of distinct storages. */
  readonly base: number
  readonly other: number
  readonly common: number
  /** Of the other's bytes, the share that the base has too; null when it has none. */
  readonly share: number | null
}

/** Compares the storages of two checkpoints, each counted once. */
export function commonBytes(base: StorageBytes, other: StorageBytes): CommonBytes {
  const sum = (lengths: Iterable<number>): number => [...lengths].reduce((total, length) => total + length, 0)
  const common = sum([...other].filter(([hash]) => base.has(hash)).map(([, length]) => length))
  const total = sum(other.values())
  return { base: sum(base.values()), other: total, common, share: total === 0 ? null : common / total }
}
