import { AppError } from '../../error.ts'
import { isFloat, itemSize, type FloatTarget } from '../../tensor/index.ts'
import type { ValueTree } from '../value-tree.ts'
import type { WrittenStorage, WrittenValue } from './written-value.ts'

/** Tensors that are made of others and whose floats are converted as theirs are. Quantized ones are not. */
const MADE_OF_TENSORS: ReadonlySet<string> = new Set([
  'torch._utils._rebuild_sparse_tensor',
  'torch._utils._rebuild_nested_tensor',
])

/**
 * Converts the floats of a state_dict to another dtype, as `Module.to(dtype)` does; integers, booleans, complex and quantized numbers
 * stay. Whole storages are converted, so that what is tied stays tied; what is outside of the state_dict (an optimizer's state) stays
 * as it is, unless it shares memory with it.
 * @param stateDict node of the state_dict in the tree.
 * @throws AppError CHECKPOINT_UNSUPPORTED when a storage is viewed by two dtypes.
 */
export function changeFloats(value: WrittenValue, stateDict: number, to: FloatTarget): WrittenValue {
  const chosen = new Set(
    tensorsOf(value.tree, stateDict)
      .map((tensor) => value.tensors[tensor]!)
      .filter(({ dtype }) => isFloat(dtype) && dtype !== to)
      .map(({ storage }) => storage),
  )
  const storages = [...value.storages]
  const changed = new Map<number, WrittenStorage>()
  const tensors = value.tensors.map((tensor) => {
    if (!chosen.has(tensor.storage)) return tensor
    const storage = storages[tensor.storage]!
    const known = changed.get(tensor.storage)
    if (known === undefined) {
      const elements = Math.floor(storage.byteLength / itemSize(tensor.dtype))
      const conversion = { from: tensor.dtype, to }
      changed.set(tensor.storage, { ...storage, dtype: to, byteLength: elements * itemSize(to), conversion })
    } else if (known.conversion!.from !== tensor.dtype)
      throw new AppError(
        'CHECKPOINT_UNSUPPORTED',
        `storage ${storage.key} is used as ${known.conversion!.from} and as ${tensor.dtype} at once; download it without a dtype`,
      )
    return { ...tensor, dtype: to }
  })
  for (const [index, storage] of changed) storages[index] = storage
  return { tree: value.tree, tensors, storages }
}

/** Tensors that are values of a mapping, or the parts of such. */
function tensorsOf({ nodes }: ValueTree, stateDict: number): number[] {
  const node = nodes[stateDict]!
  if (node.kind !== 'dict' && node.kind !== 'ordered_dict') return []
  const found: number[] = []
  const open = node.entries.map(([, value]) => value)
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const child = nodes[next]!
    if (child.kind === 'tensor') found.push(child.tensor)
    else if (child.kind === 'object' && MADE_OF_TENSORS.has(child.class) && child.args !== undefined)
      open.push(...partsOf(nodes, child.args))
  }
  return found
}

/** Tensors in the arguments of a call, one tuple inside another. */
function partsOf(nodes: ValueTree['nodes'], args: number): number[] {
  const node = nodes[args]!
  if (node.kind !== 'tuple') return [args]
  return node.items.flatMap((item) => {
    const inner = nodes[item]!
    return inner.kind === 'tuple' ? [...inner.items] : [item]
  })
}
