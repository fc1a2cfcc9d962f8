import { moduleOf, type ExportedTensor } from './export-notes.ts'
import type { GraphProto } from './onnx_pb.ts'

/**
 * Tied weights leave one name in an ONNX file. The other is a key of the module that no initializer has, and whose module
 * reads, in its place, one initializer with the same last name.
 * @returns Initializer name → the other keys that hold it.
 */
export function findTiedKeys(
  graph: GraphProto,
  exported: ReadonlyMap<string, ExportedTensor>,
  missing: readonly ExportedTensor[],
): ReadonlyMap<string, readonly string[]> {
  const readBy = new Map<string, string[]>()
  if (missing.length > 0)
    for (const node of graph.node) {
      const module = moduleOf(node)
      if (module !== null) readBy.set(module, [...(readBy.get(module) ?? []), ...node.input])
    }
  const tied = new Map<string, readonly string[]>()
  for (const { key } of missing) {
    const leaf = lastName(key)
    const module = key.slice(0, -leaf.length - 1)
    const candidates = new Set(
      readBy.get(module)?.filter((name) => exported.get(name)?.inStateDict && lastName(name) === leaf),
    )
    const [name] = candidates
    if (name !== undefined && candidates.size === 1) tied.set(name, [...(tied.get(name) ?? []), key])
  }
  return tied
}

const lastName = (key: string): string => key.slice(key.lastIndexOf('.') + 1)
