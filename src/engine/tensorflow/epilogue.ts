import type { Graph, GraphNode } from '../../architecture/index.ts'

/** An activation that TensorFlow.js computes together with what comes before it. */
export type Activation =
  { readonly kind: 'relu' | 'relu6' | 'sigmoid' } | { readonly kind: 'leakyrelu'; readonly alpha: number }

/** The batch normalization after a convolution: names of its values, and epsilon. */
export interface Norm {
  readonly scale: string
  readonly shift: string
  readonly mean: string
  readonly variance: string
  readonly epsilon: number
}

/** The nodes after one that are computed with it: folded into its weights, or done in the same operation. */
export interface Epilogue {
  /** Name of a bias that an Add after a MatMul brings. */
  readonly bias?: string
  readonly norm?: Norm
  readonly activation?: Activation
  /** The nodes themselves, in order. */
  readonly nodes: readonly GraphNode[]
}

/** Nothing comes after. */
export const NO_EPILOGUE: Epilogue = { nodes: [] }

const HEADS = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul'])

/**
 * Which nodes go together: by the node that computes them. A node is only taken when nothing else reads the value before it.
 * @param weights names that are known before the graph runs.
 */
export function findEpilogues(graph: Graph, weights: ReadonlySet<string>): ReadonlyMap<GraphNode, Epilogue> {
  const readers = new Map<string, GraphNode[]>()
  for (const node of graph.nodes)
    for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node])
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const next = (name: string): GraphNode | undefined => {
    const found = readers.get(name)
    return found?.length === 1 && !outputs.has(name) && found[0]!.domain === '' ? found[0] : undefined
  }
  const found = new Map<GraphNode, Epilogue>()
  const constants = new Map(graph.constants.map((constant) => [constant.name, constant]))
  const number = (name: string | undefined): number | null => {
    const constant = constants.get(name ?? '')
    if (constant?.dtype !== 'float32' || constant.bytes.byteLength !== 4) return null
    const { buffer, byteOffset } = constant.bytes
    return new DataView(buffer, byteOffset).getFloat32(0, true)
  }
  for (const head of graph.nodes) {
    if (!HEADS.has(head.op) || head.domain !== '' || !weights.has(head.inputs[1]!)) continue
    const nodes: GraphNode[] = []
    let last = head.outputs[0]!
    const take = (node: GraphNode) => {
      nodes.push(node)
      last = node.outputs[0]!
    }
    const bias = head.op === 'MatMul' ? biasOf(next(last), last, graph, weights) : undefined
    if (bias) take(next(last)!)
    // A bias has to be known too, to be scaled with the weights.
    const folds = head.op !== 'MatMul' && ((head.inputs[2] ?? '') === '' || weights.has(head.inputs[2]!))
    const norm = folds ? normOf(next(last), last, weights) : undefined
    if (norm) take(next(last)!)
    const activation = activationOf(next(last), number)
    if (activation) take(next(last)!)
    if (nodes.length > 0)
      found.set(head, {
        nodes,
        ...(bias === undefined ? {} : { bias }),
        ...(norm === undefined ? {} : { norm }),
        ...(activation === undefined ? {} : { activation }),
      })
  }
  return found
}

function biasOf(
  node: GraphNode | undefined,
  value: string,
  graph: Graph,
  weights: ReadonlySet<string>,
): string | undefined {
  if (node?.op !== 'Add') return undefined
  const other = node.inputs[0] === value ? node.inputs[1]! : node.inputs[0]!
  const shape = [...graph.parameters, ...graph.constants].find(({ name }) => name === other)?.shape
  return weights.has(other) && shape?.length === 1 ? other : undefined
}

function normOf(node: GraphNode | undefined, value: string, weights: ReadonlySet<string>): Norm | undefined {
  if (node?.op !== 'BatchNormalization' || node.inputs[0] !== value || node.outputs.length > 1) return undefined
  const names = node.inputs.slice(1)
  if (!names.every((name) => weights.has(name))) return undefined
  const { epsilon } = node.attributes
  const [scale, shift, mean, variance] = names as [string, string, string, string]
  return { scale, shift, mean, variance, epsilon: epsilon?.kind === 'float' ? epsilon.value : 1e-5 }
}

function activationOf(
  node: GraphNode | undefined,
  number: (name: string | undefined) => number | null,
): Activation | undefined {
  if (!node) return undefined
  switch (node.op) {
    case 'Relu':
      return { kind: 'relu' }
    case 'Sigmoid':
      return { kind: 'sigmoid' }
    case 'LeakyRelu': {
      const { alpha } = node.attributes
      return { kind: 'leakyrelu', alpha: alpha?.kind === 'float' ? alpha.value : 0.01 }
    }
    case 'Clip':
      return number(node.inputs[1]) === 0 && number(node.inputs[2]) === 6 ? { kind: 'relu6' } : undefined
    default:
      return undefined
  }
}
