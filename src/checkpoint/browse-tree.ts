import type { ValueNode } from './value-tree.ts'

/** Nodes of a value tree by index, wherever they are. An index that is not there is left out. */
export type NodeSource = (indexes: readonly number[]) => Promise<ReadonlyMap<number, ValueNode>>

/** A place inside of a container: the index of its value, and of its key or what it is called. */
interface Place {
  readonly key: number | string
  readonly value: number
}

/** An entry of a container. */
export interface TreeEntry {
  /** The key of a dict, the position in a list; `.state` and `.args` for what belongs to an object. */
  readonly key: string
  /** From 0. */
  readonly position: number
  readonly value: number
  readonly node: ValueNode
}

/** A page of entries. */
export interface TreePage {
  readonly entries: readonly TreeEntry[]
  readonly total: number
}

/** How many values a node holds. */
export const childCount = (node: ValueNode): number => placesOf(node).length

/** Entries `start` … `start + count` of a node. */
export async function entriesOf(source: NodeSource, node: ValueNode, start: number, count: number): Promise<TreePage> {
  const places = placesOf(node)
  const wanted = places.slice(start, start + count)
  const nodes = await source(wanted.flatMap(({ key, value }) => (typeof key === 'number' ? [key, value] : [value])))
  const entries = wanted.map(({ key, value }, i) => ({
    key: keyText(key, nodes),
    position: start + i,
    value,
    node: nodes.get(value) ?? { kind: 'none' as const },
  }))
  return { entries, total: places.length }
}

/** The node that a path leads to from another; null when there is none. Of two keys that read the same the first counts. */
export async function nodeAt(
  source: NodeSource,
  from: ValueNode,
  path: readonly string[],
): Promise<{ readonly node: ValueNode } | null> {
  let node = from
  for (const step of path) {
    const places = placesOf(node)
    const keys = await source(places.flatMap(({ key }) => (typeof key === 'number' ? [key] : [])))
    const place = places.find(({ key }) => keyText(key, keys) === step)
    const found = place === undefined ? undefined : (await source([place.value])).get(place.value)
    if (found === undefined) return null
    node = found
  }
  return { node }
}

function placesOf(node: ValueNode): readonly Place[] {
  const places: Place[] = []
  if ('items' in node) node.items.forEach((value, i) => places.push({ key: String(i), value }))
  if ('entries' in node) for (const [key, value] of node.entries) places.push({ key, value })
  if ('args' in node) places.push({ key: '.args', value: node.args })
  if ('state' in node) places.push({ key: '.state', value: node.state })
  return places
}

function keyText(key: number | string, nodes: ReadonlyMap<number, ValueNode>): string {
  if (typeof key === 'string') return key
  const node = nodes.get(key)
  if (node === undefined) return '?'
  return node.kind === 'string' ? node.value : previewOf(node)
}

/** Characters of a preview. */
const PREVIEW = 80

/** A value on one line, as Python prints it; containers by their kind and length, tensors by their number in the file. */
export function previewOf(node: ValueNode): string {
  const text = fullPreview(node)
  return text.length > PREVIEW ? `${text.slice(0, PREVIEW - 1)}…` : text
}

function fullPreview(node: ValueNode): string {
  switch (node.kind) {
    case 'none':
      return 'None'
    case 'bool':
      return node.value ? 'True' : 'False'
    case 'int':
    case 'float':
      return String(node.value)
    case 'complex':
      return `complex(${node.re}, ${node.im})`
    case 'string':
      return JSON.stringify(node.value.slice(0, PREVIEW))
    case 'bytes':
    case 'bytearray':
      return `${node.kind} of ${Buffer.byteLength(node.value, 'base64')}`
    case 'list':
    case 'tuple':
    case 'set':
      return `${node.kind} of ${node.items.length}`
    case 'dict':
    case 'ordered_dict':
    case 'counter':
      return `${node.kind} of ${node.entries.length}`
    case 'tensor':
      return `tensor ${node.tensor}`
    case 'size':
      return `torch.Size([${node.sizes.slice(0, PREVIEW).join(', ')}])`
    case 'dtype':
      return `torch.${node.value}`
    case 'device':
      return `device(${JSON.stringify(node.type)}${node.index === undefined ? '' : `, ${node.index}`})`
    case 'object':
      return node.class
    default:
      throw new Error(`unknown node ${JSON.stringify(node satisfies never)}`)
  }
}
