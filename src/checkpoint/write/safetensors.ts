import { AppError } from '../../error.ts'
import { isContiguous, itemSize, numel, type DType } from '../../tensor/index.ts'
import { quoted } from '../../container/index.ts'
import type { TensorEntry, ValueNode, ValueTree } from '../value-tree.ts'
import { layoutOf, type DataSegment, type FileLayout } from './file-layout.ts'
import type { WrittenValue } from './written-value.ts'

/** Names of dtypes in the order of the reference implementation's `Dtype`, by which it sorts. Source: safetensors 0.8, tensor.rs. */
const DTYPES: ReadonlyMap<DType, string> = new Map<DType, string>([
  ['bool', 'BOOL'],
  ['uint8', 'U8'],
  ['int8', 'I8'],
  ['float8_e5m2', 'F8_E5M2'],
  ['float8_e4m3fn', 'F8_E4M3'],
  ['float8_e8m0fnu', 'F8_E8M0'],
  ['float8_e4m3fnuz', 'F8_E4M3FNUZ'],
  ['float8_e5m2fnuz', 'F8_E5M2FNUZ'],
  ['int16', 'I16'],
  ['uint16', 'U16'],
  ['float16', 'F16'],
  ['bfloat16', 'BF16'],
  ['int32', 'I32'],
  ['uint32', 'U32'],
  ['float32', 'F32'],
  ['complex64', 'C64'],
  ['float64', 'F64'],
  ['int64', 'I64'],
  ['uint64', 'U64'],
])
const RANKS = new Map([...DTYPES.keys()].map((dtype, rank) => [dtype, rank]))

interface NamedTensor {
  readonly name: string
  readonly tensor: TensorEntry
}

/**
 * A safetensors file of the state_dict at the root of the tree. Views are made dense. Of names whose tensors are one and the same (tied
 * weights) the first in order is written and the others are told in `__metadata__`, `{dropped: kept}`: this is how
 * `safetensors.torch.save_model` writes them and `load_model` finds them; writing them twice would untie them.
 * @throws AppError CHECKPOINT_UNSUPPORTED when something is no tensor that the format has.
 */
export function layoutSafetensors(value: WrittenValue): FileLayout {
  const named = namedTensors(value)
  const { kept, dropped } = dropTied(named)
  const metadata = metadataOf(value.tree, dropped)
  kept.sort(
    (a, b) =>
      RANKS.get(b.tensor.dtype)! - RANKS.get(a.tensor.dtype)! || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  )
  const header: [string, unknown][] = metadata.size > 0 ? [['__metadata__', Object.fromEntries(metadata)]] : []
  const data: DataSegment[] = []
  let at = 0
  for (const { name, tensor } of kept) {
    const byteLength = numel(tensor.shape) * itemSize(tensor.dtype)
    const offsets = [at, at + byteLength]
    header.push([name, { dtype: DTYPES.get(tensor.dtype), shape: tensor.shape, data_offsets: offsets }])
    at += byteLength
    if (byteLength > 0) data.push(dataOf(value, tensor, byteLength))
  }
  return layoutOf([{ kind: 'fixed', bytes: headerBytes(header), checksums: [] }, ...data])
}

/** Length, JSON, and spaces that align the data. */
function headerBytes(header: readonly (readonly [string, unknown])[]): Uint8Array {
  // Not Object.fromEntries: names that look like numbers would come first.
  const json = Buffer.from(
    `{${header.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(',')}}`,
  )
  const length = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + length).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.set(json, 8)
  return bytes
}

function dataOf({ storages }: WrittenValue, tensor: TensorEntry, byteLength: number): DataSegment {
  const { conversion } = storages[tensor.storage]!
  const dtype = conversion?.from ?? tensor.dtype
  const size = itemSize(dtype)
  const source = isContiguous(tensor.shape, tensor.stride)
    ? { offset: tensor.storageOffset * size, length: numel(tensor.shape) * size }
    : { dtype, shape: tensor.shape, stride: tensor.stride, storageOffset: tensor.storageOffset }
  return { kind: 'data', byteLength, storage: tensor.storage, source, conversion }
}

function namedTensors({ tree, tensors }: WrittenValue): NamedTensor[] {
  const root = tree.nodes[tree.root]!
  if (root.kind !== 'dict' && root.kind !== 'ordered_dict') throw unsupported('the checkpoint holds no state_dict')
  return root.entries.map(([keyIndex, valueIndex]) => {
    const key = tree.nodes[keyIndex]!
    const node = tree.nodes[valueIndex]!
    if (key.kind !== 'string') throw unsupported(`a key of the state_dict is a ${key.kind}`)
    if (key.value === '__metadata__') throw unsupported('a tensor is named __metadata__')
    if (node.kind !== 'tensor') throw unsupported(`${quoted(key.value)} is ${describe(node)}`)
    const tensor = tensors[node.tensor]!
    if (!DTYPES.has(tensor.dtype)) throw unsupported(`${quoted(key.value)} is a tensor of dtype ${tensor.dtype}`)
    return { name: key.value, tensor }
  })
}

const describe = (node: ValueNode): string =>
  node.kind === 'object' ? `made by ${node.class}` : `a ${node.kind}, no tensor`

const unsupported = (what: string): AppError =>
  new AppError('CHECKPOINT_UNSUPPORTED', `${what}, which a safetensors file cannot hold; download it as pth`)

/** Tells tensors that are the same view of the same storage from the others. The name that sorts first is kept, as `save_model` does. */
function dropTied(named: readonly NamedTensor[]): {
  readonly kept: NamedTensor[]
  readonly dropped: ReadonlyMap<string, string>
} {
  const groups = new Map<string, NamedTensor[]>()
  for (const item of named) {
    const { storage, dtype, shape, stride, storageOffset } = item.tensor
    // Empty tensors share nothing.
    const view = shape.includes(0) ? item.name : JSON.stringify([storage, dtype, shape, stride, storageOffset])
    const group = groups.get(view)
    if (group === undefined) groups.set(view, [item])
    else group.push(item)
  }
  const kept: NamedTensor[] = []
  const dropped = new Map<string, string>()
  for (const group of groups.values()) {
    const [first, ...others] = group.sort((a, b) => (a.name < b.name ? -1 : 1))
    kept.push(first!)
    for (const { name } of others) dropped.set(name, first!.name)
  }
  return { kept, dropped }
}

/** The `__metadata__` that came with the file, what was dropped, and `format`, which transformers insists on. */
function metadataOf(tree: ValueTree, dropped: ReadonlyMap<string, string>): Map<string, string> {
  const metadata = new Map(cameWith(tree))
  if (!metadata.has('format')) metadata.set('format', 'pt')
  for (const [name, keptName] of dropped) if (!metadata.has(name)) metadata.set(name, keptName)
  return metadata
}

/** The reader keeps `__metadata__` as an attribute of the dict. */
function* cameWith({ nodes, root }: ValueTree): Generator<readonly [string, string]> {
  const node = nodes[root]!
  const state =
    (node.kind === 'dict' || node.kind === 'ordered_dict') && node.state !== undefined ? nodes[node.state]! : null
  if (state?.kind !== 'dict') return
  for (const [key, value] of state.entries) {
    const name = nodes[key]!
    const pairs = nodes[value]!
    if (name.kind !== 'string' || name.value !== '__metadata__' || pairs.kind !== 'dict') continue
    for (const [left, right] of pairs.entries) {
      const [a, b] = [nodes[left]!, nodes[right]!]
      if (a.kind === 'string' && b.kind === 'string') yield [a.value, b.value]
    }
  }
}
