import { invariant } from '../../error.ts'
import type { ValueNode, ValueTree } from '../value-tree.ts'

/** A tree whose entries are wanted, and by how much its tensors are numbered on. */
export interface TreePart {
  readonly tree: ValueTree
  /** [key node, value node] of the tree. */
  readonly entries: readonly (readonly [number, number])[]
  readonly firstTensor: number
}

/** One dict of the entries of several trees; what they do not need is left out. Children still come before their parents. */
export function joinTrees(parts: readonly TreePart[], metadata: ReadonlyMap<string, string>): ValueTree {
  const nodes: ValueNode[] = []
  const entries: (readonly [number, number])[] = []
  for (const { tree, entries: wanted, firstTensor } of parts) {
    const places = new Map<number, number>()
    for (const index of reachable(tree, wanted.flat()))
      places.set(index, nodes.push(moved(tree.nodes[index]!, places, firstTensor)) - 1)
    for (const [key, value] of wanted) entries.push([places.get(key)!, places.get(value)!])
  }
  const add = (node: ValueNode): number => nodes.push(node) - 1
  const text = (value: string): number => add({ kind: 'string', value })
  if (metadata.size === 0) return { nodes, root: add({ kind: 'dict', entries }) }
  const pairs = [...metadata].map(([key, value]) => [text(key), text(value)] as const)
  const state = add({ kind: 'dict', entries: [[text('__metadata__'), add({ kind: 'dict', entries: pairs })]] })
  return { nodes, root: add({ kind: 'dict', entries, state }) }
}

/** The nodes below some nodes, and these, in the order of the tree. */
function reachable({ nodes }: ValueTree, from: readonly number[]): number[] {
  const seen = new Set(from)
  const pending = [...seen]
  for (let next = pending.pop(); next !== undefined; next = pending.pop())
    for (const child of childrenOf(nodes[next]!))
      if (!seen.has(child)) {
        seen.add(child)
        pending.push(child)
      }
  return [...seen].sort((a, b) => a - b)
}

function childrenOf(node: ValueNode): readonly number[] {
  const state = 'state' in node ? [node.state] : []
  switch (node.kind) {
    case 'list':
    case 'tuple':
    case 'set':
      return node.items
    case 'dict':
    case 'ordered_dict':
    case 'counter':
      return [...node.entries.flat(), ...state]
    case 'tensor':
      return state
    case 'object':
      return [
        ...(node.args === undefined ? [] : [node.args]),
        ...(node.items ?? []),
        ...(node.entries ?? []).flat(),
        ...state,
      ]
    case 'none':
    case 'bool':
    case 'int':
    case 'float':
    case 'complex':
    case 'string':
    case 'bytes':
    case 'bytearray':
    case 'size':
    case 'dtype':
    case 'device':
      return []
    default:
      return node satisfies never
  }
}

/** A node with its children and its tensor at their new numbers. */
function moved(node: ValueNode, places: ReadonlyMap<number, number>, firstTensor: number): ValueNode {
  const at = (index: number): number => {
    const place = places.get(index)
    invariant(place !== undefined, 'children come before their parents')
    return place
  }
  const pairs = (entries: readonly (readonly [number, number])[]) =>
    entries.map(([key, value]) => [at(key), at(value)] as const)
  const state = 'state' in node ? { state: at(node.state) } : {}
  switch (node.kind) {
    case 'list':
    case 'tuple':
    case 'set':
      return { kind: node.kind, items: node.items.map(at) }
    case 'dict':
    case 'ordered_dict':
    case 'counter':
      return { kind: node.kind, entries: pairs(node.entries), ...state }
    case 'tensor':
      return { kind: 'tensor', tensor: firstTensor + node.tensor, ...state }
    case 'object':
      return {
        kind: 'object',
        class: node.class,
        ...(node.args === undefined ? {} : { args: at(node.args) }),
        ...(node.items === undefined ? {} : { items: node.items.map(at) }),
        ...(node.entries === undefined ? {} : { entries: pairs(node.entries) }),
        ...state,
      }
    default:
      return node
  }
}
