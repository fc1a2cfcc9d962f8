import type { Constant, Graph, GraphNode } from '../graph.ts'
import { bytesOf, constantOf } from '../operators/constant-elements.ts'
import type { Value } from '../operators/operator.ts'
import { sameSize, type Size } from '../size.ts'
import { withoutKey } from './names.ts'

/**
 * The graph with every value that does not depend on inputs or parameters as a constant, as far as elements are
 * followed. The exporters compute shapes at run time; most are known, and what is left of a Reshape is its batch.
 */
export function foldConstants(graph: Graph, values: ReadonlyMap<string, Value>): Graph {
  const added: Constant[] = []
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const nodes = graph.nodes.flatMap((node): readonly GraphNode[] => {
    const constants = node.outputs.filter(Boolean).map((name) => constantOf(name, values.get(name)!))
    if (!node.outputs.some((name) => outputs.has(name)) && constants.every((constant) => constant !== undefined)) {
      added.push(...constants)
      return []
    }
    const target = node.op === 'Reshape' ? reshapeTarget(node, values) : undefined
    if (!target) return [node]
    added.push(target)
    return [{ ...node, inputs: [node.inputs[0]!, target.name], attributes: withoutKey(node.attributes, 'allowzero') }]
  })
  return { ...graph, nodes, constants: [...graph.constants, ...added] }
}

/** The shape that a Reshape gives as a constant: 0 copies an open size that stays in its place, -1 is one other. */
function reshapeTarget(node: GraphNode, values: ReadonlyMap<string, Value>): Constant | undefined {
  const target = values.get(node.inputs[1]!)?.elements
  const from = values.get(node.inputs[0]!)?.shape
  const shape = values.get(node.outputs[0]!)?.shape
  if (!from || !shape || !target || target.every((size) => typeof size === 'number')) return undefined
  // With a size of 0 in it, 0 and -1 would mean something else.
  if ([...from, ...shape].includes(0)) return undefined
  const stays = (size: Size, axis: number): boolean => axis < from.length && sameSize(size, from[axis]!)
  const open = shape.flatMap((size, axis) => (typeof size !== 'number' && !stays(size, axis) ? [axis] : []))
  if (open.length > 1) return undefined
  const numbers = shape.map((size, axis) => (typeof size === 'number' ? size : axis === open[0] ? -1 : 0))
  const name = `${node.outputs[0]!}/shape`
  return { name, dtype: 'int64', shape: [numbers.length], bytes: bytesOf('int64', numbers) }
}
