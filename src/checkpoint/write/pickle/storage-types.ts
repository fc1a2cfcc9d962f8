import { itemSize, type DType } from '../../../tensor/index.ts'
import { STORAGE_DTYPES } from '../../pickle/globals.ts'
import type { WrittenValue } from '../written-value.ts'

/** How a storage is named in a persistent id. */
export interface StorageType {
  readonly class: string
  /** Bytes of what its length counts. */
  readonly unit: number
  /** Whether its tensors have to say their dtype (`_rebuild_tensor_v3`). */
  readonly untyped: boolean
}

const UNTYPED: StorageType = { class: 'torch.storage.UntypedStorage', unit: 1, untyped: true }

/** `torch.FloatStorage` and its like by dtype; dtypes of PyTorch 2.1 and later have none. */
const TYPED: ReadonlyMap<DType, StorageType> = new Map(
  [...STORAGE_DTYPES]
    .filter(([path]) => path.split('.').length === 2)
    .map(([path, dtype]) => [dtype, { class: path, unit: itemSize(dtype), untyped: false }] as const),
)

/**
 * The type of every storage. The tree does not keep it, because it follows from the rest: a storage is untyped where its dtype has
 * no typed class, where a view has another dtype than it, or where it is a value itself and says so.
 * Source: torch/storage.py, _new_dtypes; torch/_tensor.py, _reduce_ex_internal.
 */
export function storageTypes({ tree, tensors, storages }: WrittenValue): readonly StorageType[] {
  const types = storages.map(({ dtype }) => TYPED.get(dtype) ?? UNTYPED)
  for (const { storage, dtype } of tensors) if (dtype !== storages[storage]!.dtype) types[storage] = UNTYPED
  for (const node of tree.nodes) {
    if (node.kind !== 'object' || node.class !== UNTYPED.class || node.args === undefined) continue
    const args = tree.nodes[node.args]
    const inner = args?.kind === 'tuple' ? tree.nodes[args.items[0]!] : undefined
    if (inner?.kind === 'tensor') types[tensors[inner.tensor]!.storage] = UNTYPED
  }
  return types
}
