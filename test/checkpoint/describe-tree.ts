import { createHash } from 'node:crypto'
import { tensorBytes, type Checkpoint, type ValueNode } from '../../src/checkpoint/index.ts'

/** Plain JSON. */
export type Description =
  null | boolean | number | string | readonly Description[] | { readonly [key: string]: Description }

/**
 * Describes the value of a checkpoint as test/interop/describe_value.py describes the Python value: equal descriptions mean
 * equal values, down to the bytes of every tensor, the sharing of storages, and the identity of containers.
 */
export async function describeCheckpoint(checkpoint: Checkpoint): Promise<Description> {
  const { nodes, root } = checkpoint.tree
  const objects = new Map<number, number>()
  const storages = new Map<number, number>()

  async function each(indices: readonly number[]): Promise<Description[]> {
    const items: Description[] = []
    for (const index of indices) items.push(await describe(index))
    return items
  }

  async function describe(index: number): Promise<Description> {
    const node = nodes[index]!
    const scalar = describeScalar(node)
    if (scalar !== undefined) return scalar
    if (node.kind === 'tuple') return ['tuple', await each(node.items)]
    const special = node.kind === 'object' ? describeSpecial(checkpoint, node) : undefined
    if (special !== undefined) return special
    const known = objects.get(index)
    if (known !== undefined) return ['same', known]
    const number = objects.size
    objects.set(index, number)
    return container(node, number)
  }

  async function container(node: ValueNode, number: number): Promise<Description> {
    if (node.kind === 'list') return ['list', number, await each(node.items)]
    if (node.kind === 'set') return ['set', number, (await each(node.items)).sort(byText)]
    if (node.kind === 'tensor') {
      const state = node.state === undefined ? null : await describe(node.state)
      return ['tensor', number, await describeTensor(checkpoint, node.tensor, storages), state]
    }
    if (node.kind === 'object') {
      const args = await each(itemsOf(checkpoint, node.args!))
      const items = await each(node.items ?? [])
      const entries: Description[] = []
      for (const [key, value] of node.entries ?? []) entries.push([await describe(key), await describe(value)])
      const state = node.state === undefined ? null : await describe(node.state)
      return ['object', number, node.class, args, items, entries, state]
    }
    if (node.kind !== 'dict' && node.kind !== 'ordered_dict' && node.kind !== 'counter')
      throw new Error(`no description for ${node.kind}`)
    const entries: Description[] = []
    for (const [key, value] of node.entries) entries.push([await describe(key), await describe(value)])
    if (node.kind !== 'ordered_dict') return [node.kind, number, entries]
    return [node.kind, number, entries, node.state === undefined ? null : await describe(node.state)]
  }

  return describe(root)
}

function describeScalar(node: ValueNode): Description | undefined {
  switch (node.kind) {
    case 'none':
      return ['none']
    case 'bool':
      return ['bool', node.value]
    case 'int':
      return ['int', String(node.value)]
    case 'float':
      return ['float', floatBits(node.value)]
    case 'complex':
      return ['complex', floatBits(node.re), floatBits(node.im)]
    case 'string':
    case 'bytes':
    case 'bytearray':
      return [node.kind, node.value]
    case 'size':
      return ['size', node.sizes]
    case 'dtype':
      return ['dtype', node.value]
    case 'device':
      return ['device', node.type, node.index ?? null]
    case 'list':
    case 'tuple':
    case 'set':
    case 'dict':
    case 'ordered_dict':
    case 'counter':
    case 'tensor':
    case 'object':
      return undefined
    default:
      return node satisfies never
  }
}

function floatBits(value: number | string): string {
  const number = Number(value)
  if (Number.isNaN(number)) return 'nan'
  const bits = Buffer.alloc(8)
  bits.writeDoubleBE(number)
  return bits.toString('hex')
}

/** Sets have no order of their own; describe_value.py sorts them by their JSON text too. */
const byText = (a: Description, b: Description): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

function itemsOf({ tree }: Checkpoint, index: number): readonly number[] {
  const node = tree.nodes[index]!
  if (node.kind !== 'tuple') throw new Error(`a ${node.kind} instead of a tuple`)
  return node.items
}

async function describeTensor(
  checkpoint: Checkpoint,
  index: number,
  storages: Map<number, number>,
): Promise<Description> {
  const { dtype, shape, stride, storageOffset, storage, requiresGrad, isParameter } = checkpoint.tensors[index]!
  if (!storages.has(storage)) storages.set(storage, storages.size)
  const hash = createHash('sha256')
  for await (const piece of tensorBytes(checkpoint, index)) hash.update(piece)
  return {
    dtype,
    shape,
    stride,
    offset: storageOffset,
    storage: storages.get(storage)!,
    storageBytes: checkpoint.storages[storage]!.byteLength,
    requiresGrad,
    isParameter,
    sha256: hash.digest('hex'),
  }
}

/** Bare names, numpy scalars and arrays, and layouts, which Python compares by value. */
function describeSpecial(
  checkpoint: Checkpoint,
  node: Extract<ValueNode, { kind: 'object' }>,
): Description | undefined {
  const { nodes } = checkpoint.tree
  if (node.class === 'global') return ['global', (nodes[node.args!] as { value: string }).value]
  if (!/^(numpy\.|torch\.serialization\.)/.test(node.class)) return undefined
  const args = itemsOf(checkpoint, node.args!)
  const text = (index: number): string => {
    const { kind, ...rest } = nodes[index]!
    if (kind !== 'string' && kind !== 'bytes' && kind !== 'bytearray') throw new Error(`a ${kind} instead of text`)
    return (rest as { value: string }).value
  }
  const dtype = (index: number): string => {
    const made = nodes[index]!
    if (made.kind !== 'object' || made.class !== 'numpy.dtype') throw new Error('no numpy.dtype')
    return text(itemsOf(checkpoint, made.state!)[1]!) + text(itemsOf(checkpoint, made.args!)[0]!)
  }
  if (node.class === 'torch.serialization._get_layout') return ['layout', text(args[0]!)]
  if (/^numpy\._?core\.multiarray\.scalar$/.test(node.class)) return ['numpy', dtype(args[0]!), text(args[1]!)]
  const array = (data: number, type: number, shape: number): Description => {
    const sizes = itemsOf(checkpoint, shape).map((size) => (nodes[size] as { value: number }).value)
    return ['ndarray', dtype(type), sizes, text(data)]
  }
  if (/^numpy\._?core\.multiarray\._reconstruct$/.test(node.class)) {
    const [, shape, type, , data] = itemsOf(checkpoint, node.state!)
    return array(data!, type!, shape!)
  }
  if (/^numpy\._?core\.numeric\._frombuffer$/.test(node.class)) return array(args[0]!, args[1]!, args[2]!)
  throw new Error(`no description for ${node.class}`)
}
