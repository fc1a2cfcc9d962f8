import { readPieces, readSafetensorsHeader, type ByteSource, type SafetensorsTensor } from '../container/index.ts'
import { AppError } from '../error.ts'
import { contiguousStrides } from '../tensor/index.ts'
import { CHECKPOINT_CODES } from './checkpoint-codes.ts'
import { disposeSource } from './dispose-source.ts'
import type { CheckpointLimits } from './limits.ts'
import { requestedRange } from './requested-range.ts'
import type { Checkpoint, StorageEntry, TensorEntry, ValueNode, ValueTree } from './value-tree.ts'

/**
 * Reads a safetensors file as the dict that `safetensors.torch.load_file` gives: each tensor has a storage of its own.
 * `__metadata__` becomes the state of the dict, so that it can be written back. A tensor of a dtype that torch has not (F6) is the
 * object `safetensors.F6_E2M3` of its sizes and its bytes.
 */
export async function readSafetensors(source: ByteSource, limits: CheckpointLimits): Promise<Checkpoint> {
  const options = { ...CHECKPOINT_CODES, limits: limits.safetensors }
  const { tensors: declared, metadata } = await readSafetensorsHeader(source, options)
  if (declared.length > limits.tensor.maxTensors)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${source.name}: ${declared.length} tensors, the limit is ${limits.tensor.maxTensors}`,
    )
  const storages = declared.map(({ name, dtype, byteLength }): StorageEntry => ({
    key: name,
    dtype,
    byteLength,
    location: 'cpu',
  }))
  const tensors = declared.map(({ dtype, shape }, storage): TensorEntry => ({
    storage,
    dtype,
    shape,
    stride: contiguousStrides(shape),
    storageOffset: 0,
    requiresGrad: false,
    isParameter: false,
  }))
  return {
    format: 'safetensors',
    tree: treeOf(declared, metadata),
    tensors,
    storages,
    globals: [],
    warnings: [],
    readStorage(index, offset, length, into) {
      const { start, end } = requestedRange(storages, index, offset, length)
      return readPieces(source, declared[index]!.offset + start, end - start, into)
    },
    storageRange(index) {
      const tensor = declared[index]
      return tensor ? { start: tensor.offset, end: tensor.offset + tensor.byteLength } : null
    },
    [Symbol.asyncDispose]: () => disposeSource(source),
  }
}

function treeOf(declared: readonly SafetensorsTensor[], metadata: ReadonlyMap<string, string>): ValueTree {
  const nodes: ValueNode[] = []
  const add = (node: ValueNode): number => nodes.push(node) - 1
  const text = (value: string): number => add({ kind: 'string', value })
  const value = ({ packed }: SafetensorsTensor, tensor: number): number => {
    const bytes = add({ kind: 'tensor', tensor })
    if (packed === undefined) return bytes
    const args = add({ kind: 'tuple', items: [add({ kind: 'size', sizes: packed.shape }), bytes] })
    return add({ kind: 'object', class: `safetensors.${packed.dtype}`, args })
  }
  const entries = declared.map((tensor, index) => [text(tensor.name), value(tensor, index)] as const)
  if (metadata.size === 0) return { nodes, root: add({ kind: 'dict', entries }) }
  const pairs = add({ kind: 'dict', entries: [...metadata].map(([key, value]) => [text(key), text(value)] as const) })
  const state = add({ kind: 'dict', entries: [[text('__metadata__'), pairs]] })
  return { nodes, root: add({ kind: 'dict', entries, state }) }
}
