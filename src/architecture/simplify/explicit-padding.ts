import type { AttributeValue, Graph, GraphNode } from '../graph.ts'
import type { Value } from '../operators/operator.ts'
import { withoutKey } from './names.ts'

const PADDED = new Set(['Conv', 'MaxPool', 'AveragePool', 'LpPool'])

/**
 * The graph with paddings as numbers instead of `auto_pad`, where sizes are known: engines refuse or miscount SAME with dilations,
 * which torch's padding='same' becomes. Source: the ONNX specification of Conv.
 */
export function withExplicitPadding(graph: Graph, values: ReadonlyMap<string, Value>): Graph {
  return { ...graph, nodes: graph.nodes.map((node) => (PADDED.has(node.op) ? padded(node, values) : node)) }
}

function padded(node: GraphNode, values: ReadonlyMap<string, Value>): GraphNode {
  const { auto_pad: mode } = node.attributes
  if (mode?.kind !== 'string') return node
  const attributes = withoutKey(node.attributes, 'auto_pad')
  if (mode.value === 'NOTSET') return { ...node, attributes }
  const sizes = values.get(node.inputs[0]!)!.shape.slice(2)
  const outputs = values.get(node.outputs[0]!)!.shape.slice(2)
  const kernel = node.op === 'Conv' ? values.get(node.inputs[1]!)!.shape.slice(2) : numbers(attributes['kernel_shape'])
  const totals = sizes.map((size, axis) => {
    const [output, length] = [outputs[axis], kernel?.[axis]]
    if (typeof size !== 'number' || typeof output !== 'number' || typeof length !== 'number') return null
    if (mode.value === 'VALID') return 0
    const extent = (length - 1) * (numbers(attributes['dilations'])?.[axis] ?? 1) + 1
    return Math.max(0, (output - 1) * (numbers(attributes['strides'])?.[axis] ?? 1) + extent - size)
  })
  if (!totals.every((total) => total !== null)) return node
  const smaller = totals.map((total) => Math.floor(total / 2))
  const larger = totals.map((total) => Math.ceil(total / 2))
  const pads = mode.value === 'SAME_LOWER' ? [...larger, ...smaller] : [...smaller, ...larger]
  return { ...node, attributes: { ...attributes, pads: { kind: 'ints', value: pads } } }
}

const numbers = (attribute: AttributeValue | undefined): readonly number[] | undefined =>
  attribute?.kind === 'ints' ? attribute.value : undefined
