import { AppError } from '../error.ts'
import type { DType } from '../tensor/index.ts'
import type { AttributeValue, Dimension, Graph, GraphNode, GraphValue } from './graph.ts'
import { DEFAULT_ARCHITECTURE_LIMITS, type ArchitectureLimits } from './limits.ts'
import { constantElements } from './operators/constant-elements.ts'
import type { NodeContext, Value } from './operators/operator.ts'
import { OPERATORS } from './operators/table.ts'
import { BATCH, dimensionOf, shapeText, sizeOf, type Size } from './size.ts'

/** Elements of all values together that are followed; the shapes of real models have a small part of it. */
const MAX_FOLLOWED_ELEMENTS = 4_000_000

/**
 * Shape and dtype of every value of the graph: inputs, parameters, constants and what each node gives.
 * The batch stays `N` unless a batch size is given.
 * @throws AppError ARCHITECTURE_INVALID, ARCHITECTURE_UNSUPPORTED_OPERATOR, LIMIT_EXCEEDED; messages name the node.
 */
export function inferShapes(graph: Graph, batch?: number): Map<string, GraphValue> {
  const shapes = new Map<string, GraphValue>()
  for (const [name, { dtype, shape }] of inferValues(graph, batch))
    shapes.set(name, { name, dtype, shape: shape.map(dimensionOf) })
  return shapes
}

/** As `inferShapes`, with the elements of values that are computed from shapes and constants. */
export function inferValues(
  graph: Graph,
  batch?: number,
  limits: ArchitectureLimits = DEFAULT_ARCHITECTURE_LIMITS,
): Map<string, Value> {
  const values = new Map<string, Value>()
  const size = (dimension: Dimension): Size => (dimension === BATCH && batch !== undefined ? batch : sizeOf(dimension))
  for (const { name, dtype, shape } of graph.inputs) values.set(name, { dtype, shape: shape.map(size) })
  for (const { name, dtype, shape, optional } of graph.parameters) if (!optional) values.set(name, { dtype, shape })
  for (const constant of graph.constants) {
    const { name, dtype, shape } = constant
    values.set(name, { dtype, shape, elements: constantElements(constant) })
  }
  let followed = 0
  for (const node of graph.nodes) {
    const outputs = inferNode(node, graph.opset, values)
    for (const [index, name] of node.outputs.entries()) {
      const output = outputs[index]!
      checkSizes(node, output.shape, limits)
      followed += output.elements?.length ?? 0
      const { dtype, shape } = output
      if (name !== '') values.set(name, followed > MAX_FOLLOWED_ELEMENTS ? { dtype, shape } : output)
    }
  }
  return values
}

/** How messages call a node. */
export const nodeText = ({ name, op, outputs }: GraphNode): string =>
  `node ${name || outputs[0] || '(unnamed)'} (${op})`

function inferNode(node: GraphNode, opset: number, values: ReadonlyMap<string, Value>): readonly Value[] {
  const operator = node.domain === '' ? OPERATORS.get(node.op) : undefined
  if (!operator)
    throw new AppError(
      'ARCHITECTURE_UNSUPPORTED_OPERATOR',
      `${nodeText(node)}: the operator is not supported${node.domain === '' ? '' : ` (domain ${node.domain})`}`,
    )
  const fail = (message: string): never => {
    throw new AppError('ARCHITECTURE_INVALID', `${nodeText(node)}: ${message}`)
  }
  const inputs = node.inputs.map((name) =>
    name === '' ? undefined : (values.get(name) ?? fail(`its input ${name} is not defined before it`)),
  )
  const {
    since = 1,
    inputs: [fewest, most],
    outputs: [fewestOutputs, mostOutputs],
    attributes = {},
  } = operator
  if (opset < since) fail(`the operator is one of operator set ${since}, the graph declares ${opset}`)
  if (inputs.length > most || inputs.length < fewest || inputs.slice(0, fewest).includes(undefined))
    fail(`has ${inputs.length} inputs, ${countText(fewest, most)} are expected`)
  if (node.outputs.length > mostOutputs || node.outputs.length < fewestOutputs)
    fail(`has ${node.outputs.length} outputs, ${countText(fewestOutputs, mostOutputs)} are expected`)
  for (const [name, { kind }] of Object.entries(node.attributes))
    if (!Object.hasOwn(attributes, name)) fail(`attribute ${name} is not known for this operator`)
    else if (attributes[name] !== kind) fail(`attribute ${name} is of kind ${kind}, ${attributes[name]!} is expected`)
  return operator.infer(contextOf(node, opset, inputs, fail))
}

const countText = (fewest: number, most: number): string =>
  fewest === most ? String(fewest) : most === Number.MAX_SAFE_INTEGER ? `${fewest} or more` : `${fewest} to ${most}`

function contextOf(
  node: GraphNode,
  opset: number,
  inputs: readonly (Value | undefined)[],
  fail: (message: string) => never,
): NodeContext {
  const attribute = (name: string): AttributeValue | undefined =>
    Object.hasOwn(node.attributes, name) ? node.attributes[name] : undefined
  return {
    op: node.op,
    opset,
    outputCount: node.outputs.length,
    inputs,
    input: (index) => inputs[index] ?? fail(`its input ${index} is missing`),
    known: (index) => {
      const value = inputs[index]
      if (!value) return undefined
      const unknown = !value.elements || value.elements.includes(null)
      if (unknown) fail(`its shape depends on ${node.inputs[index]!}, which is not known before the graph runs`)
      return value.elements as readonly Size[]
    },
    int: (name) => {
      const found = attribute(name)
      return found?.kind === 'int' ? found.value : undefined
    },
    ints: (name) => {
      const found = attribute(name)
      return found?.kind === 'ints' ? found.value : undefined
    },
    text: (name) => {
      const found = attribute(name)
      return found?.kind === 'string' ? found.value : undefined
    },
    tensor: (name) => {
      const found = attribute(name)
      return found?.kind === 'tensor' ? found.value : undefined
    },
    fail,
  }
}

function checkSizes(node: GraphNode, shape: readonly Size[], limits: ArchitectureLimits): void {
  const text = nodeText(node)
  if (shape.length > limits.rank)
    throw new AppError('LIMIT_EXCEEDED', `${text}: gives ${shape.length} dimensions, the limit is ${limits.rank}`)
  let elements = 1
  for (const size of shape)
    if (typeof size === 'number') {
      if (!Number.isSafeInteger(size) || size < 0)
        throw new AppError('ARCHITECTURE_INVALID', `${text}: gives the impossible shape ${shapeText(shape)}`)
      elements *= size
    }
  if (elements > limits.sampleElements)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${text}: gives ${shapeText(shape)}, the limit is ${limits.sampleElements} elements`,
    )
}

/** The value as the graph names it. */
export const graphValue = (
  name: string,
  { dtype, shape }: { readonly dtype: DType; readonly shape: readonly Size[] },
): GraphValue => ({
  name,
  dtype,
  shape: shape.map(dimensionOf),
})
