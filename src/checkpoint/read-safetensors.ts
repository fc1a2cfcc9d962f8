import { readPieces, readSafetensorsHeader, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { contiguousStrides } from '../tensor/index.ts'
import { CHECKPOINT_CODES } from './checkpoint-codes.ts'
import { disposeSource } from './dispose-source.ts'
import type { CheckpointLimits } from './limits.ts'
import type { Checkpoint, StorageEntry, TensorEntry, ValueNode, ValueTree } from './value-tree.ts'

/**
 * Reads a safetensors file as the dict that `safetensors.torch.load_file` gives: each tensor has a storage of its own.
 * `__metadata__` becomes the state of the dict, so that it can be written back.
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
    tree: treeOf(
      declared.map(({ name }) => name),
      metadata,
    ),
    tensors,
    storages,
    globals: [],
    warnings: [],
    readStorage(index, offset = 0, length, into) {
      const tensor = declared[index]
      if (!tensor) throw new RangeError(`there is no storage ${index}`)
      const end = offset + (length ?? tensor.byteLength - offset)
      if (!(offset >= 0 && offset <= end && end <= tensor.byteLength))
        throw new RangeError(`bytes ${offset}..${end} are outside of storage ${index} with ${tensor.byteLength}`)
      return readPieces(source, tensor.offset + offset, end - offset, into)
    },
    storageRange(index) {
      const tensor = declared[index]
      return tensor ? { start: tensor.offset, end: tensor.offset + tensor.byteLength } : null
    },
    [Symbol.asyncDispose]: () => disposeSource(source),
  }
}

function treeOf(names: readonly string[], metadata: ReadonlyMap<string, string>): ValueTree {
  const nodes: ValueNode[] = []
  const add = (node: ValueNode): number => nodes.push(node) - 1
  const text = (value: string): number => add({ kind: 'string', value })
  const entries = names.map((name, tensor) => [text(name), add({ kind: 'tensor', tensor })] as const)
  if (metadata.size === 0) return { nodes, root: add({ kind: 'dict', entries }) }
  const pairs = add({ kind: 'dict', entries: [...metadata].map(([key, value]) => [text(key), text(value)] as const) })
  const state = add({ kind: 'dict', entries: [[text('__metadata__'), pairs]] })
  return { nodes, root: add({ kind: 'dict', entries, state }) }
}
