import { invariant, AppError } from '../../error.ts'
import { itemSize } from '../../tensor/index.ts'
import type { TensorEntry, ValueNode, ValueTree } from '../value-tree.ts'
import { dtypeOfPath } from './globals.ts'
import type { PickleLimits } from './limits.ts'
import type { PickleInstance, PickleObject, PickleStorage, PickleTensor, PickleValue } from './pickle-value.ts'
import { scalarNode, toFloat } from './scalar-nodes.ts'

/** A value tree and its tensors, each once, in the order in which the tree names them. */
export interface FlattenedValue {
  readonly tree: ValueTree
  readonly tensors: readonly TensorEntry[]
}

/** An object whose children are being placed. */
interface Frame {
  readonly object: PickleObject
  readonly children: readonly PickleValue[]
  readonly indices: number[]
  height: number
}

/** Marks an object that contains the place we are at. */
const OPEN = -1

/**
 * Turns what a pickle made into a flat list of nodes; children come before their parents, and a shared object is placed
 * once. Iterative, so that nesting costs no stack. What the pickle made but the value does not hold is left out.
 * @throws AppError when values are nested too deeply, or contain themselves.
 */
export function flatten(root: PickleValue, limits: PickleLimits, where: string): FlattenedValue {
  const nodes: ValueNode[] = []
  const heights: number[] = []
  const tensors: TensorEntry[] = []
  const scalars = new Map<Exclude<PickleValue, PickleObject>, number>()
  const frames: Frame[] = []

  const tooDeep = (): AppError =>
    new AppError('LIMIT_EXCEEDED', `${where}: values are nested more than ${limits.maxDepth} levels deep`)
  const place = (node: ValueNode, height: number): number => {
    if (height > limits.maxDepth) throw tooDeep()
    heights.push(height)
    return nodes.push(node) - 1
  }
  /** The index of a value that is placed; opens it otherwise. */
  const visit = (value: PickleValue): number | undefined => {
    if (typeof value !== 'object' || value === null) {
      const known = scalars.get(value)
      if (known !== undefined) return known
      const index = place(scalarNode(value), 0)
      scalars.set(value, index)
      return index
    }
    if (value.node === OPEN)
      throw new AppError(
        'CHECKPOINT_UNSUPPORTED',
        `${where}: a ${value.kind} contains itself, which no state_dict does`,
      )
    if (value.node !== undefined) return value.node
    if (frames.length > limits.maxDepth) throw tooDeep()
    value.node = OPEN
    frames.push({ object: value, children: childrenOf(value), indices: [], height: 0 })
    return undefined
  }

  let last = visit(root)
  for (let frame = frames.at(-1); frame; frame = frames.at(-1)) {
    const { object, children, indices } = frame
    const child = children[indices.length]
    if (child !== undefined) {
      const index = visit(child)
      if (index === undefined) continue
      indices.push(index)
      frame.height = Math.max(frame.height, heights[index]! + 1)
      continue
    }
    if (object.kind === 'tensor') tensors.push(object.entry)
    last = place(nodeOf(object, indices, tensors.length - 1), frame.height)
    object.node = last
    frames.pop()
  }
  invariant(last !== undefined, 'the root is placed')
  return { tree: { nodes, root: last }, tensors }
}

/** The values inside of an object, in the order in which `nodeOf` takes their indices. */
function childrenOf(object: PickleObject): readonly PickleValue[] {
  switch (object.kind) {
    case 'list':
    case 'tuple':
    case 'set':
      return object.items
    case 'dict':
    case 'ordered_dict':
    case 'counter':
      return withState(object.entries.flat(), object.state)
    case 'tensor':
      return withState([], object.state)
    case 'object':
      return withState([object.args, ...(object.items ?? []), ...(object.entries ?? []).flat()], object.state)
    case 'global':
      return dtypeOfPath(object.path) === undefined ? [object.path] : []
    case 'storage':
      return [{ kind: 'tuple', items: [wholeStorage(object)] }]
    case 'float':
    case 'complex':
    case 'bytes':
    case 'bytearray':
    case 'size':
    case 'device':
    case 'foreign':
      return []
    default:
      return object satisfies never
  }
}

const withState = (children: readonly PickleValue[], state: PickleValue | undefined): readonly PickleValue[] =>
  state === undefined ? children : [...children, state]

/** A storage that is a value itself is shown as the one-dimensional tensor of its elements. */
function wholeStorage({ index, dtype, start, byteLength }: PickleStorage): PickleTensor {
  const shape = [byteLength / itemSize(dtype)]
  const storageOffset = start / itemSize(dtype)
  const entry = { storage: index, dtype, shape, stride: [1], storageOffset, requiresGrad: false, isParameter: false }
  return { kind: 'tensor', entry }
}

function nodeOf(object: PickleObject, indices: readonly number[], tensor: number): ValueNode {
  switch (object.kind) {
    case 'list':
    case 'tuple':
    case 'set':
      return { kind: object.kind, items: indices }
    case 'dict':
    case 'ordered_dict':
    case 'counter': {
      const entries = object.entries.map((_, i) => [indices[2 * i]!, indices[2 * i + 1]!] as const)
      return { kind: object.kind, entries, ...stateAt(indices, 2 * entries.length) }
    }
    case 'tensor':
      return { kind: 'tensor', tensor, ...stateAt(indices, 0) }
    case 'object':
      return objectNode(object, indices)
    case 'storage':
      return { kind: 'object', class: object.class, args: indices[0]! }
    case 'global': {
      const dtype = dtypeOfPath(object.path)
      return dtype === undefined
        ? { kind: 'object', class: 'global', args: indices[0]! }
        : { kind: 'dtype', value: dtype }
    }
    case 'float':
      return { kind: 'float', value: toFloat(object.value) }
    case 'complex':
      return { kind: 'complex', re: toFloat(object.re), im: toFloat(object.im) }
    case 'bytes':
    case 'bytearray':
      return { kind: object.kind, value: Buffer.from(object.value).toString('base64') }
    case 'size':
      return { kind: 'size', sizes: object.sizes }
    case 'device':
      return {
        kind: 'device',
        type: object.type,
        ...(object.deviceIndex === undefined ? {} : { index: object.deviceIndex }),
      }
    case 'foreign':
      throw new Error('invariant: a pickle with foreign names is refused before its value is used')
    default:
      return object satisfies never
  }
}

/** The indices are those of the arguments, the items, the entries, and the state. */
function objectNode(object: PickleInstance, indices: readonly number[]): ValueNode {
  const items = object.items?.length ?? 0
  const entries = object.entries?.length ?? 0
  const at = 1 + items
  return {
    kind: 'object',
    class: object.class,
    args: indices[0]!,
    ...(items === 0 ? {} : { items: indices.slice(1, at) }),
    ...(entries === 0
      ? {}
      : { entries: object.entries!.map((_, i) => [indices[at + 2 * i]!, indices[at + 2 * i + 1]!] as const) }),
    ...stateAt(indices, at + 2 * entries),
  }
}

const stateAt = (indices: readonly number[], at: number): { readonly state?: number } =>
  indices.length > at ? { state: indices[at]! } : {}
