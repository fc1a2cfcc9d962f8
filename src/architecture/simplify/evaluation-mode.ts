import { AppError } from '../../error.ts'
import type { Graph, GraphNode } from '../graph.ts'
import { nodeText } from '../infer-shapes.ts'
import { readNames, withoutKey } from './names.ts'

/**
 * The graph as `model.eval()` leaves it, whatever mode it was exported in: dropout is the identity and batch normalisation
 * uses its running statistics.
 * @throws AppError ARCHITECTURE_INVALID when the graph reads what these give in training only.
 */
export function inEvaluationMode(graph: Graph): Graph {
  const read = readNames(graph)
  return { ...graph, nodes: graph.nodes.map((node) => evaluating(node, read)) }
}

function evaluating(node: GraphNode, read: ReadonlySet<string>): GraphNode {
  if (node.op !== 'Dropout' && node.op !== 'BatchNormalization') return node
  const outputs = node.outputs.slice(0, 1)
  const lost = node.outputs.slice(1).find((name) => read.has(name))
  if (lost !== undefined)
    throw new AppError(
      'ARCHITECTURE_INVALID',
      `${nodeText(node)}: its output ${lost} exists in training only; export the model after model.eval()`,
    )
  if (node.op === 'Dropout')
    return { ...node, op: 'Identity', inputs: node.inputs.slice(0, 1), outputs, attributes: {} }
  return { ...node, outputs, attributes: withoutKey(node.attributes, 'training_mode') }
}
