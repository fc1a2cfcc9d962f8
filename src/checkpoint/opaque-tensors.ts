import type { ValueNode, ValueTree } from './value-tree.ts'

/** Functions that make a tensor which has no plain storage of its elements: kept as data, shown, and not evaluated. */
export const OPAQUE_TENSORS: ReadonlyMap<string, string> = new Map([
  ['torch._utils._rebuild_qtensor', 'a quantized tensor'],
  ['torch._utils._rebuild_sparse_tensor', 'a sparse tensor'],
  ['torch._utils._rebuild_sparse_csr_tensor', 'a sparse tensor (torch.sparse_csr)'],
  ['torch._utils._rebuild_nested_tensor', 'a nested tensor'],
  ['torch._utils._rebuild_meta_tensor_no_storage', 'a tensor on the meta device, which has no values'],
  ['torch._utils._rebuild_wrapper_subclass', 'a tensor subclass without a storage'],
  ['torch._utils._rebuild_device_tensor_from_numpy', 'a tensor of another device, saved by way of numpy'],
  ['torch._utils._rebuild_device_tensor_from_cpu_tensor', 'a tensor of another device, saved by way of the CPU'],
  ['safetensors.F4', 'a tensor of F4, half a byte an element'],
  ['safetensors.F6_E2M3', 'a tensor of F6_E2M3, 6 bits an element'],
  ['safetensors.F6_E3M2', 'a tensor of F6_E3M2, 6 bits an element'],
])

/**
 * The keys of a state_dict whose tensors are kept as data only, with what each is: `a quantized tensor (torch.per_channel_affine)`.
 * Empty where there is no mapping at `path`.
 */
export function opaqueTensors(tree: ValueTree, path: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of entriesAt(tree, path)) {
    const name = tree.nodes[key]!
    const text = opaqueKind(tree, tree.nodes[value]!)
    if (name.kind === 'string' && text !== undefined) found.set(name.value, text)
  }
  return found
}

/** What an opaque tensor is; undefined for every other value. */
export function opaqueKind(tree: ValueTree, node: ValueNode): string | undefined {
  if (node.kind !== 'object') return undefined
  const args = argumentsOf(tree, node)
  if (node.class === 'torch._utils._rebuild_parameter' && args[0] !== undefined) {
    const inner = opaqueKind(tree, tree.nodes[args[0]]!)
    return inner === undefined ? undefined : `a Parameter of ${inner}`
  }
  const kind = OPAQUE_TENSORS.get(node.class)
  const detail = kind === undefined ? undefined : detailOf(tree, node.class, args)
  return detail === undefined ? kind : `${kind} (${detail})`
}

/** The quantization scheme, or the layout of a sparse tensor. */
function detailOf(tree: ValueTree, cls: string, args: readonly number[]): string | undefined {
  const at = cls === 'torch._utils._rebuild_qtensor' ? 1 : cls === 'torch._utils._rebuild_sparse_tensor' ? 0 : undefined
  const part = at === undefined ? undefined : tree.nodes[args[at]!]
  const inner = part === undefined ? [] : part.kind === 'tuple' ? part.items : []
  const scheme = part?.kind === 'object' ? part : inner[0] === undefined ? undefined : tree.nodes[inner[0]]
  const text = scheme?.kind === 'object' && scheme.args !== undefined ? tree.nodes[scheme.args] : undefined
  if (text?.kind === 'string') return text.value
  const [first] = text?.kind === 'tuple' ? text.items : []
  const name = first === undefined ? undefined : tree.nodes[first]
  return name?.kind === 'string' ? name.value : undefined
}

function argumentsOf(tree: ValueTree, node: Extract<ValueNode, { kind: 'object' }>): readonly number[] {
  const args = node.args === undefined ? undefined : tree.nodes[node.args]
  return args?.kind === 'tuple' ? args.items : []
}

function entriesAt(tree: ValueTree, path: readonly string[]): readonly (readonly [number, number])[] {
  let node: ValueNode | undefined = tree.nodes[tree.root]
  for (const step of path) node = childAt(tree, node, step)
  return node?.kind === 'dict' || node?.kind === 'ordered_dict' ? node.entries : []
}

function childAt(tree: ValueTree, node: ValueNode | undefined, step: string): ValueNode | undefined {
  if (node?.kind === 'list' || node?.kind === 'tuple') return tree.nodes[node.items[Number(step)] ?? -1]
  if (node?.kind !== 'dict' && node?.kind !== 'ordered_dict') return undefined
  const entry = node.entries.find(([key]) => {
    const name = tree.nodes[key]!
    return (name.kind === 'string' || name.kind === 'int') && String(name.value) === step
  })
  return entry === undefined ? undefined : tree.nodes[entry[1]]
}
