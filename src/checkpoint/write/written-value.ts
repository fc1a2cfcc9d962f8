import type { DType, FloatTarget } from '../../tensor/index.ts'
import type { Checkpoint, StorageEntry, TensorEntry, ValueTree } from '../value-tree.ts'

/** A storage as it is to be written. Its index is that of the storage whose bytes are read. */
export interface WrittenStorage extends StorageEntry {
  /** How its elements are changed on the way; `dtype` and `byteLength` are those after it. */
  readonly conversion: StorageConversion | null
}

/** A change of every element of a storage. */
export interface StorageConversion {
  readonly from: DType
  readonly to: FloatTarget
}

/** What is written: values, tensors and storages as a reader gives them, possibly changed. Plain data, without a byte of a storage. */
export interface WrittenValue {
  readonly tree: ValueTree
  readonly tensors: readonly TensorEntry[]
  readonly storages: readonly WrittenStorage[]
}

/** A checkpoint to be written as it is. */
export const writtenValue = ({
  tree,
  tensors,
  storages,
}: Pick<Checkpoint, 'tree' | 'tensors' | 'storages'>): WrittenValue => ({
  tree,
  tensors,
  storages: storages.map((storage) => ({ ...storage, conversion: null })),
})
