import { invariant } from '../../error.ts'
import type { ValueNode, ValueTree } from '../value-tree.ts'
import type { WrittenValue } from './written-value.ts'

/**
 * The node that a path leads to, as `findStateDicts` names paths: keys of dicts, positions in lists.
 * @returns undefined when there is none.
 */
export function nodeAtPath({ nodes, root }: ValueTree, path: readonly string[]): number | undefined {
  let at: number | undefined = root
  for (const step of path) at = at === undefined ? undefined : childAt(nodes, nodes[at]!, step)
  return at
}

function childAt(nodes: ValueTree['nodes'], node: ValueNode, step: string): number | undefined {
  if (node.kind === 'list' || node.kind === 'tuple') return node.items[Number(step)]
  if (node.kind !== 'dict' && node.kind !== 'ordered_dict') return undefined
  return node.entries.find(([key]) => {
    const name = nodes[key]!
    return (name.kind === 'string' || name.kind === 'int') && String(name.value) === step
  })?.[1]
}

/** Only what a node holds. What nothing names any more is not written. */
export const rootedAt = (value: WrittenValue, root: number): WrittenValue => ({
  ...value,
  tree: { ...value.tree, root },
})

/**
 * Gives the keys of a state_dict other names, and the module paths of its `_metadata` with them: `load_state_dict` looks versions up by
 * path. Values, order and everything outside of it stay.
 * @param rename the new name of a key; of a module path with a dot behind it, `''` for the root.
 */
export function renameKeys(value: WrittenValue, stateDict: number, rename: (key: string) => string): WrittenValue {
  const nodes = [...value.tree.nodes]
  const node = nodes[stateDict]!
  invariant(node.kind === 'dict' || node.kind === 'ordered_dict', 'a state_dict is a mapping')
  const state = node.state === undefined ? {} : { state: renamedMetadata(nodes, node.state, rename) }
  nodes[stateDict] = { kind: node.kind, entries: renamed(nodes, node.entries, rename), ...state }
  return { ...value, tree: { ...value.tree, nodes } }
}

type Entries = readonly (readonly [number, number])[]

function renamed(nodes: ValueNode[], entries: Entries, rename: (key: string) => string): Entries {
  return entries.map(([key, item]) => {
    const name = nodes[key]!
    if (name.kind !== 'string') return [key, item]
    const next = rename(name.value)
    return next === name.value ? [key, item] : [nodes.push({ kind: 'string', value: next }) - 1, item]
  })
}

/** The attributes of a state_dict, with the paths in `_metadata` renamed. */
function renamedMetadata(nodes: ValueNode[], state: number, rename: (key: string) => string): number {
  const attributes = nodes[state]!
  if (attributes.kind !== 'dict') return state
  const entries = attributes.entries.map(([key, item]): readonly [number, number] => {
    const name = nodes[key]!
    const metadata = nodes[item]!
    const isMetadata = name.kind === 'string' && name.value === '_metadata'
    if (!isMetadata || (metadata.kind !== 'dict' && metadata.kind !== 'ordered_dict')) return [key, item]
    const paths = renamed(nodes, metadata.entries, (path) => {
      const next = rename(path === '' ? '' : `${path}.`)
      // Taken off together with the dot, a wrapper's path becomes the root's.
      return next === '' ? '' : next.endsWith('.') ? next.slice(0, -1) : path
    })
    return [key, nodes.push({ ...metadata, entries: unique(nodes, paths) }) - 1]
  })
  return nodes.push({ ...attributes, entries }) - 1
}

/** A wrapper and what it wraps may come to share one path: the later one, which is the wrapped module's, stays. */
function unique(nodes: readonly ValueNode[], entries: Entries): Entries {
  const last = new Map(
    entries.map((entry) => {
      const key = nodes[entry[0]]!
      return [key.kind === 'string' ? key.value : entry[0], entry]
    }),
  )
  return [...last.values()]
}

/** Functions that make a tensor on a named device, and which of their arguments names it. torch.load maps it as it maps a location. */
const DEVICE_ARGUMENT: ReadonlyMap<string, number> = new Map([
  ['torch._utils._rebuild_device_tensor_from_numpy', 2],
  ['torch._utils._rebuild_device_tensor_from_cpu_tensor', 2],
])

/** Gives every storage another location tag. */
export function relocate(value: WrittenValue, locationOf: (tag: string) => string): WrittenValue {
  const nodes = [...value.tree.nodes]
  for (const node of value.tree.nodes) {
    const at = node.kind === 'object' ? DEVICE_ARGUMENT.get(node.class) : undefined
    if (at === undefined || node.kind !== 'object' || node.args === undefined) continue
    const args = nodes[node.args]!
    if (args.kind !== 'tuple') continue
    const device = nodes[args.items[at]!]
    if (device?.kind !== 'string') continue
    const moved = nodes.push({ kind: 'string', value: locationOf(device.value) }) - 1
    nodes[node.args] = { kind: 'tuple', items: args.items.with(at, moved) }
  }
  const storages = value.storages.map((storage) => ({ ...storage, location: locationOf(storage.location) }))
  return { tensors: value.tensors, tree: { ...value.tree, nodes }, storages }
}
