import { numel } from '../tensor/index.ts'
import type { Dimension, Graph, GraphNode } from './graph.ts'
import { inferShapes } from './infer-shapes.ts'
import { isFloat } from './operators/elements.ts'

/** One node for display. */
export interface NodeDescription {
  readonly name: string
  readonly op: string
  /** Shape of its first output. */
  readonly outputShape: readonly Dimension[]
  /** Elements of the parameters that it is the first to read, running statistics left out. */
  readonly parameterCount: number
  /** Names of the nodes and of the graph's inputs that it reads, each once. */
  readonly inputs: readonly string[]
}

/** A graph for display. */
export interface GraphDescription {
  readonly nodes: readonly NodeDescription[]
  /** What `sum(p.numel() for p in model.parameters())` prints; other buffers than running statistics are counted too. */
  readonly parameterCount: number
}

/** Nodes with their output shapes and parameter counts. The graph has passed `checkGraph`. */
export function describeGraph(graph: Graph): GraphDescription {
  const shapes = inferShapes(graph)
  const statistics = new Set(graph.nodes.flatMap(runningStatistics))
  const counts = new Map(
    graph.parameters
      .filter(({ name, dtype, optional }) => !optional && isFloat(dtype) && !statistics.has(name))
      .map(({ name, shape }) => [name, numel(shape)]),
  )
  const parameterCount = sum(counts.values())
  const sources = new Map([
    ...graph.inputs.map(({ name }) => [name, name] as const),
    ...graph.nodes.flatMap((node) => node.outputs.map((output) => [output, nameOf(node)] as const)),
  ])
  const nodes = graph.nodes.map((node) => {
    const { op, inputs, outputs } = node
    const read = [...new Set(inputs)].map((input) => {
      const count = counts.get(input) ?? 0
      counts.delete(input)
      return count
    })
    const outputShape = shapes.get(outputs[0] ?? '')?.shape ?? []
    return {
      name: nameOf(node),
      op,
      outputShape,
      parameterCount: sum(read),
      inputs: [...new Set(inputs.flatMap((input) => sources.get(input) ?? []))],
    }
  })
  return { nodes, parameterCount }
}

/** Names of nodes are optional in ONNX. */
const nameOf = ({ name, outputs }: GraphNode): string => name || (outputs[0] ?? '')

/** running_mean and running_var are buffers, no parameters; so is what holds whole numbers. */
const runningStatistics = ({ op, inputs }: GraphNode): readonly string[] =>
  op === 'BatchNormalization' ? inputs.slice(3, 5) : []

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0)
