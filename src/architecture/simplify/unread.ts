import type { Graph } from '../graph.ts'

/** The graph without nodes and constants that no output needs. Parameters stay: the state_dict has them all the same. */
export function withoutUnread(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map(({ name }) => name))
  const nodes = graph.nodes.toReversed().filter(({ inputs, outputs }) => {
    if (!outputs.some((name) => needed.has(name))) return false
    for (const name of inputs) needed.add(name)
    return true
  })
  return { ...graph, nodes: nodes.reverse(), constants: graph.constants.filter(({ name }) => needed.has(name)) }
}
