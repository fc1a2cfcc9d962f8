import {
  denseBytes,
  readCheckpoint,
  type Checkpoint,
  type CheckpointLimits,
  type ValueNode,
} from '../checkpoint/index.ts'
import { readZipDirectory, type ByteSource } from '../container/index.ts'
import {
  DEFAULT_DATASET_LIMITS,
  isTorchZip,
  openArrays,
  openDataset,
  zipOptions,
  type ArrayCandidate,
  type DatasetFile,
  type DatasetOptions,
} from '../dataset/index.ts'
import { AppError } from '../error.ts'
import { isCastable } from '../evaluation/index.ts'
import { itemSize, numel } from '../tensor/index.ts'

/** The magic number of torch.save before PyTorch 1.6: a pickled long. */
const LEGACY_MAGIC = '80028a0a6cfc9c46f9206aa85019'

/**
 * A dataset file of any kind, those of torch.save too: a dict of tensors, or a tuple of features and labels (a TensorDataset's
 * `tensors`). Nothing in them is executed; an object of a class, such as the TensorDataset itself, is refused.
 * @throws AppError as `openDataset` and `readCheckpoint`.
 */
export async function openDatasetFile(
  source: ByteSource,
  options: DatasetOptions,
  limits: CheckpointLimits,
): Promise<DatasetFile> {
  if (!(await isTorchFile(source))) return await openDataset(source, options)
  const checkpoint = await readCheckpoint(source, limits)
  return await openArrays(source, 'torch', arraysOf(source, checkpoint), options)
}

async function isTorchFile(source: ByteSource): Promise<boolean> {
  const head = Buffer.from(await source.read(0, Math.min(14, source.size)))
  if (head.toString('hex') === LEGACY_MAGIC) return true
  if (!head.toString('latin1').startsWith('PK\x03\x04')) return false
  return isTorchZip(await readZipDirectory(source, zipOptions(DEFAULT_DATASET_LIMITS)))
}

function arraysOf(source: ByteSource, checkpoint: Checkpoint): ArrayCandidate[] {
  const named = namedTensors(checkpoint)
  if (named.length === 0)
    throw new AppError(
      'DATASET_UNSUPPORTED',
      `${source.name} is a file of torch.save without a dataset: a dict of tensors {'x': …, 'y': …} or a tuple (x, y) is expected`,
    )
  return named.map(([name, tensor]) => ({ name, array: arrayOf(source, checkpoint, name, tensor) }))
}

/** Tensors of a dict by their keys; of a tuple or list the first as x and the last as y. */
function namedTensors({ tree }: Checkpoint): (readonly [name: string, tensor: number])[] {
  const node = (index: number): ValueNode => tree.nodes[index]!
  const tensorsIn = (items: readonly number[]): number[] =>
    items.flatMap((item) => {
      const found = node(item)
      return found.kind === 'tensor' ? [found.tensor] : []
    })
  const root = node(tree.root)
  switch (root.kind) {
    case 'dict':
    case 'ordered_dict':
      return root.entries.flatMap(([key, value]) => {
        const [name, found] = [node(key), node(value)]
        return name.kind === 'string' && found.kind === 'tensor' ? [[name.value, found.tensor] as const] : []
      })
    case 'tuple':
    case 'list':
      return inOrder(tensorsIn(root.items))
    default:
      return []
  }
}

const inOrder = (tensors: readonly number[]): (readonly [string, number])[] =>
  tensors.map((tensor, i) => [i === 0 ? 'x' : i === tensors.length - 1 ? 'y' : `x${i + 1}`, tensor])

function arrayOf(source: ByteSource, checkpoint: Checkpoint, name: string, index: number): ArrayCandidate['array'] {
  const tensor = checkpoint.tensors[index]!
  const { dtype, shape } = tensor
  if (!isCastable(dtype))
    return new AppError(
      'DATASET_UNSUPPORTED',
      `${source.name}: tensor ${name} is of dtype ${dtype}; save it with tensor.to(torch.float32)`,
    )
  return {
    name,
    element: { kind: 'NUMBER', dtype, size: itemSize(dtype), bigEndian: false },
    shape,
    fortranOrder: false,
    byteLength: numel(shape) * itemSize(dtype),
    pieces: () => denseBytes(tensor, (offset, length) => checkpoint.readStorage(tensor.storage, offset, length)),
    read: null,
  }
}
