import { AppError } from '../../error.ts'
import type { Constant, Graph, GraphNode } from '../graph.ts'
import { nodeText } from '../infer-shapes.ts'
import { bytesOf, constantElements } from '../operators/constant-elements.ts'

/** Operators that exist in files only: `withoutSequences` turns them into others. */
export const REWRITTEN_OPERATORS: ReadonlySet<string> = new Set(['SplitToSequence', 'SequenceAt'])

/**
 * The graph without sequences. The newer exporter writes `torch.split` and `torch.chunk` as SplitToSequence and one
 * SequenceAt for each part; each part is a Slice, or a Gather where the axis goes away.
 * @throws AppError ARCHITECTURE_UNSUPPORTED_OPERATOR for any other use of sequences.
 */
export function withoutSequences(graph: Graph): Graph {
  const sequences = new Map(
    graph.nodes.filter(({ op }) => op === 'SplitToSequence').map((node) => [node.outputs[0] ?? '', node]),
  )
  if (!graph.nodes.some(({ op }) => REWRITTEN_OPERATORS.has(op))) return graph
  const constants = new Map(graph.constants.map((constant) => [constant.name, constant]))
  const added: Constant[] = []
  const nodes = graph.nodes.flatMap((node) => {
    if (node.op === 'SplitToSequence') return []
    const split = sequences.get(node.inputs[0] ?? '')
    if (node.op !== 'SequenceAt' && !node.inputs.some((name) => sequences.has(name))) return [node]
    if (node.op !== 'SequenceAt' || !split) throw unsupported(node)
    const part = partOf(split, node, constants)
    added.push(...part.constants)
    return [part.node]
  })
  return { ...graph, nodes, constants: [...graph.constants, ...added] }
}

interface Part {
  readonly node: GraphNode
  readonly constants: readonly Constant[]
}

function partOf(split: GraphNode, at: GraphNode, constants: ReadonlyMap<string, Constant>): Part {
  const numbers = (name: string | undefined): readonly number[] | undefined => {
    const constant = constants.get(name ?? '')
    const elements = constant && constantElements(constant)
    return elements?.every((element) => typeof element === 'number') ? elements : undefined
  }
  const index = numbers(at.inputs[1])?.[0]
  const axis = intOf(split, 'axis') ?? 0
  const listed = split.inputs[1] ? numbers(split.inputs[1]) : [1]
  const single = constants.get(split.inputs[1] ?? '')?.shape.length !== 1
  if (index === undefined || !listed || (single && index < 0)) throw unsupported(at)
  const common = { name: at.name, domain: '', outputs: at.outputs }
  const input = split.inputs[0] ?? ''
  const whole = (suffix: string, value: number): Constant => ({
    name: `${at.outputs[0] ?? ''}/${suffix}`,
    dtype: 'int64',
    shape: suffix === 'index' ? [] : [1],
    bytes: bytesOf('int64', [value]),
  })
  if (!split.inputs[1] && intOf(split, 'keepdims') === 0) {
    const position = whole('index', index)
    const attributes = { axis: { kind: 'int', value: axis } } as const
    return { node: { ...common, op: 'Gather', inputs: [input, position.name], attributes }, constants: [position] }
  }
  const position = index < 0 ? index + listed.length : index
  const sizes = single ? undefined : listed
  if (sizes && !(position in sizes)) throw unsupported(at)
  const start = sizes ? sizes.slice(0, position).reduce((a, b) => a + b, 0) : position * listed[0]!
  const bounds = [
    whole('start', start),
    whole('end', start + (sizes ? sizes[position]! : listed[0]!)),
    whole('axis', axis),
  ]
  const inputs = [input, ...bounds.map(({ name }) => name)]
  return { node: { ...common, op: 'Slice', inputs, attributes: {} }, constants: bounds }
}

function intOf({ attributes }: GraphNode, name: string): number | undefined {
  const attribute = attributes[name]
  return attribute?.kind === 'int' ? attribute.value : undefined
}

const unsupported = (node: GraphNode): AppError =>
  new AppError(
    'ARCHITECTURE_UNSUPPORTED_OPERATOR',
    `${nodeText(node)}: sequences are supported only where torch.split or torch.chunk makes them and their parts are taken by number`,
  )
