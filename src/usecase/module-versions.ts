import type { ValueNode, ValueTree } from '../checkpoint/index.ts'

/**
 * The versions that `_metadata` of a state_dict gives its modules: path → version, '' being the model itself. Empty where the file has none.
 * Source: torch/nn/modules/module.py, Module.state_dict: `destination._metadata[prefix[:-1]] = dict(version=self._version)`.
 */
export function moduleVersions(tree: ValueTree, path: readonly string[]): Map<string, number> {
  const versions = new Map<string, number>()
  const stateDict = path.reduce<ValueNode | null>((node, step) => child(tree, node, step), nodeAt(tree, tree.root))
  if (stateDict === null || !('state' in stateDict)) return versions
  const metadata = child(tree, nodeAt(tree, stateDict.state), '_metadata')
  for (const [key, module] of entriesOf(tree, metadata)) {
    const version = child(tree, module, 'version')
    if (version?.kind === 'int' && typeof version.value === 'number') versions.set(key, version.value)
  }
  return versions
}

const nodeAt = ({ nodes }: ValueTree, index: number | undefined): ValueNode | null =>
  index === undefined ? null : (nodes[index] ?? null)

function child(tree: ValueTree, node: ValueNode | null, step: string): ValueNode | null {
  if (node?.kind === 'list' || node?.kind === 'tuple') return nodeAt(tree, node.items[Number(step)])
  for (const [key, value] of entriesOf(tree, node)) if (key === step) return value
  return null
}

function* entriesOf(tree: ValueTree, node: ValueNode | null): Generator<readonly [string, ValueNode | null]> {
  if (node?.kind !== 'dict' && node?.kind !== 'ordered_dict') return
  for (const [key, value] of node.entries) {
    const name = nodeAt(tree, key)
    if (name?.kind === 'string' || name?.kind === 'int') yield [String(name.value), nodeAt(tree, value)]
  }
}
