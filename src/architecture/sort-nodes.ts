import { AppError } from '../error.ts'
import type { GraphNode } from './graph.ts'
import { nodeText } from './infer-shapes.ts'

/**
 * The nodes in an order in which each comes after those it reads from; the given order where that is one already.
 * @throws AppError ARCHITECTURE_INVALID when two nodes give the same value, or nodes wait for each other in a circle.
 */
export function sortNodes(nodes: readonly GraphNode[]): readonly GraphNode[] {
  const producers = new Map<string, GraphNode>()
  for (const node of nodes)
    for (const output of node.outputs) {
      if (output === '') continue
      if (producers.has(output))
        throw new AppError(
          'ARCHITECTURE_INVALID',
          `${nodeText(node)}: gives ${output}, which ${nodeText(producers.get(output)!)} gives already`,
        )
      producers.set(output, node)
    }
  const waiting = new Map<GraphNode, Set<GraphNode>>()
  const readers = new Map<GraphNode, GraphNode[]>(nodes.map((node) => [node, []]))
  for (const node of nodes) {
    const sources = new Set(node.inputs.flatMap((input) => producers.get(input) ?? []))
    waiting.set(node, sources)
    for (const source of sources) readers.get(source)!.push(node)
  }
  const sorted: GraphNode[] = []
  const ready: GraphNode[] = nodes.filter((node) => waiting.get(node)!.size === 0).reverse()
  for (let node = ready.pop(); node; node = ready.pop()) {
    sorted.push(node)
    for (const reader of readers.get(node)!.toReversed()) {
      const sources = waiting.get(reader)!
      sources.delete(node)
      if (sources.size === 0) ready.push(reader)
    }
  }
  if (sorted.length < nodes.length) {
    const stuck = nodes.find((node) => waiting.get(node)!.size > 0)!
    throw new AppError('ARCHITECTURE_INVALID', `${nodeText(stuck)}: waits for its own output; the graph has a circle`)
  }
  return isSorted(nodes, producers) ? nodes : sorted
}

function isSorted(nodes: readonly GraphNode[], producers: ReadonlyMap<string, GraphNode>): boolean {
  const done = new Set<GraphNode>()
  return nodes.every((node) => {
    const ready = node.inputs.every((input) => !producers.has(input) || done.has(producers.get(input)!))
    done.add(node)
    return ready
  })
}
