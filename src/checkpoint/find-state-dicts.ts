import { numel } from '../tensor/index.ts'
import { opaqueKind } from './opaque-tensors.ts'
import type { Checkpoint, StateDict, ValueNode, ValueTree } from './value-tree.ts'

/** Keys under which people save a model's state_dict, most telling first. */
const CONVENTIONAL_NAMES = [
  'model_state_dict',
  'state_dict',
  'model_state',
  'model',
  'net_state_dict',
  'net',
  'network',
  'module',
  'weights',
  'params',
]
/** Keys under which other things with tensors are saved. */
const NOT_A_MODEL = /optim|sched|scaler|rng|amp_state|loops|callbacks/i

/** State_dicts lie at most a few levels deep; what is nested more deeply is something else. */
const MAX_SEARCH_DEPTH = 16

/** A mapping of strings to tensors, and what its rank depends on. */
interface Candidate {
  readonly stateDict: StateDict
  /** Whether every value is a tensor, or extra state of a module. */
  readonly flat: boolean
  readonly parameters: number
}

/**
 * Every mapping of strings to tensors in a checkpoint, the one to evaluate first: the root when it is flat, then the
 * conventional names, then the one with the most elements. Values that are no tensors of a storage (`_extra_state`,
 * quantized and sparse tensors) are left out. What an optimizer keeps is no state_dict. Each mapping is named once, by its shortest path.
 */
export function findStateDicts(checkpoint: Pick<Checkpoint, 'tree' | 'tensors'>): readonly StateDict[] {
  const { nodes, root } = checkpoint.tree
  const candidates: Candidate[] = []
  const seen = new Set([root])
  let level: { readonly index: number; readonly path: readonly string[] }[] = [{ index: root, path: [] }]
  // Breadth first, each node once: a value that is shared ten times over at twenty levels has 10^20 paths.
  for (let depth = 0; depth < MAX_SEARCH_DEPTH && level.length > 0; depth++) {
    const next: typeof level = []
    for (const { index, path } of level) {
      const candidate = candidateOf(checkpoint, nodes[index]!, path)
      if (candidate) candidates.push(candidate)
      for (const [key, child] of childrenOf(checkpoint.tree, nodes[index]!)) {
        if (seen.has(child)) continue
        seen.add(child)
        next.push({ index: child, path: [...path, key] })
      }
    }
    level = next
  }
  return candidates
    .map((candidate) => ({ candidate, rank: rankOf(candidate) }))
    .sort((a, b) => a.rank - b.rank || b.candidate.parameters - a.candidate.parameters)
    .map(({ candidate }) => candidate.stateDict)
}

function candidateOf(
  { tree, tensors }: Pick<Checkpoint, 'tree' | 'tensors'>,
  node: ValueNode,
  path: readonly string[],
): Candidate | undefined {
  if (node.kind !== 'dict' && node.kind !== 'ordered_dict') return undefined
  const found = new Map<string, number>()
  let flat = true
  let parameters = 0
  let opaque = 0
  for (const [keyIndex, valueIndex] of node.entries) {
    const key = tree.nodes[keyIndex]!
    const value = tree.nodes[valueIndex]!
    if (key.kind !== 'string') return undefined
    if (value.kind === 'tensor') {
      found.set(key.value, value.tensor)
      parameters += numel(tensors[value.tensor]!.shape)
    } else if (opaqueKind(tree, value) !== undefined) opaque++
    else if (!isExtraState(key.value)) flat = false
  }
  return found.size + opaque === 0 ? undefined : { stateDict: { path, tensors: found }, flat, parameters }
}

/** torch.nn.Module.get_extra_state puts anything under this key. */
const isExtraState = (key: string): boolean => key === '_extra_state' || key.endsWith('._extra_state')

/** Containers inside of a node with the step that leads to them, except into an optimizer's state. */
function* childrenOf({ nodes }: ValueTree, node: ValueNode): Generator<readonly [string, number]> {
  if (node.kind === 'list' || node.kind === 'tuple')
    for (const [i, item] of node.items.entries()) if (isContainer(nodes[item]!)) yield [String(i), item]
  if (node.kind !== 'dict' && node.kind !== 'ordered_dict') return
  const keys = node.entries.map(([key]) => {
    const { kind, ...rest } = nodes[key]!
    return kind === 'string' || kind === 'int' ? String((rest as { value: string | number }).value) : undefined
  })
  // torch.optim.Optimizer.state_dict: `state` by parameter number, and the `param_groups`.
  if (keys.includes('state') && keys.includes('param_groups')) return
  for (const [i, [, value]] of node.entries.entries())
    if (keys[i] !== undefined && isContainer(nodes[value]!)) yield [keys[i], value]
}

const isContainer = ({ kind }: ValueNode): boolean =>
  kind === 'dict' || kind === 'ordered_dict' || kind === 'list' || kind === 'tuple'

function rankOf({ stateDict: { path }, flat }: Candidate): number {
  if (flat && path.length === 0) return 0
  if (path.some((step) => NOT_A_MODEL.test(step))) return 1000
  const name = CONVENTIONAL_NAMES.indexOf(path.at(-1) ?? '')
  if (flat && name >= 0) return 1 + path.length * CONVENTIONAL_NAMES.length + name
  return flat ? 900 : 950
}
