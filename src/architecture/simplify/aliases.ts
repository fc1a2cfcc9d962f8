import type { Graph, GraphNode } from '../graph.ts'
import type { Value } from '../operators/operator.ts'

/** The graph without operators that do nothing: whoever reads their output reads their input. */
export function withoutAliases(graph: Graph, values: ReadonlyMap<string, Value>): Graph {
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs))
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const source = new Map<string, string>()
  const resolve = (name: string): string => source.get(name) ?? name
  // An output of the graph keeps its name: the value behind it takes that name, where it can.
  const renamed = new Map<string, string>()
  const kept = graph.nodes.filter((node) => {
    if (!isAlias(node, values)) return true
    const [input, output] = [resolve(node.inputs[0]!), node.outputs[0]!]
    if (outputs.has(output)) {
      if (!made.has(input) || outputs.has(input) || renamed.has(input)) return true
      renamed.set(input, output)
    } else source.set(output, input)
    return false
  })
  const final = (name: string): string => renamed.get(resolve(name)) ?? resolve(name)
  const nodes = kept.map((node) => ({
    ...node,
    inputs: node.inputs.map(final),
    outputs: node.outputs.map((name) => renamed.get(name) ?? name),
  }))
  return { ...graph, nodes }
}

function isAlias({ op, inputs, outputs }: GraphNode, values: ReadonlyMap<string, Value>): boolean {
  if (op === 'Identity') return true
  return (op === 'Cast' || op === 'CastLike') && values.get(inputs[0]!)?.dtype === values.get(outputs[0]!)?.dtype
}
