import { inferShapes, type Graph, type GraphNode } from '../../architecture/index.ts'
import { AppError } from '../../error.ts'
import { typedArrayOf, type Shape } from '../../tensor/index.ts'
import { boundTensors, readParameter, type BoundTensors } from './bound-tensors.ts'
import type { ParameterSource } from '../engine.ts'
import { tfDType, toTf } from './element-type.ts'
import { engineError, nodeText } from './engine-error.ts'
import { findEpilogues, NO_EPILOGUE } from './epilogue.ts'
import { relaid, type Layout } from './layout.ts'
import type { Tf, TfTensor } from './library.ts'
import type { Compiled, Operand } from './operators/operator.ts'
import { OPERATORS } from './operators/table.ts'
import { raised, siteOf, type Knowledge } from './site.ts'

/** A graph for inputs of known shapes: what is left to compute, in order. */
export interface Program {
  /**
   * Computes the outputs of the graph, in its order and layout. The caller disposes of them; nothing else stays.
   * @throws AppError ENGINE_FAILED that names the node.
   */
  run(inputs: ReadonlyMap<string, TfTensor>): readonly TfTensor[]
  /** Releases what was made for these shapes; the weights stay. */
  dispose(): void
}

/** Where a value is while a program runs. */
type Source =
  { readonly kind: 'register'; readonly index: number } | { readonly kind: 'tensor'; readonly tensor: TfTensor }

interface Step {
  readonly node: GraphNode
  readonly sources: readonly Source[]
  readonly compute: Compiled['compute']
  readonly targets: readonly number[]
  /** Registers that nothing reads after this step. */
  readonly last: number[]
}

/**
 * Plans a graph for inputs of these shapes: shapes of everything, a layout for every value, weights bound as the operators
 * want them. What depends on shapes and weights alone is computed here.
 * @throws AppError ARCHITECTURE_UNSUPPORTED_OPERATOR, ENGINE_FAILED.
 */
export function compileProgram(
  tf: Tf,
  graph: Graph,
  shapes: ReadonlyMap<string, Shape>,
  parameters: ParameterSource,
  weights: BoundTensors,
): Program {
  const inputs = graph.inputs.map((input) => ({ ...input, shape: shapes.get(input.name) ?? input.shape }))
  const values = inferShapes({ ...graph, inputs })
  const constants = new Map(graph.constants.map((constant) => [constant.name, constant]))
  const names = new Set([...constants.keys(), ...graph.parameters.map(({ name }) => name)])
  const epilogues = findEpilogues(graph, knownNames(graph, names))
  const own = boundTensors(tf)
  // Values that are computed while compiling, with the store that holds them.
  const computed = new Map<string, { readonly store: BoundTensors; readonly tensor: TfTensor }>()
  const layouts = new Map<string, Layout>()
  const knowledge: Knowledge = {
    tf,
    opset: graph.opset,
    values,
    layouts,
    isBound: (name) => names.has(name) || computed.has(name),
    bound(name) {
      const found = computed.get(name)
      if (found) return found.tensor
      const constant = constants.get(name)
      if (!constant) return readParameter(tf, name, parameters.get(name)!)
      const { dtype, shape, bytes } = constant
      return toTf(tf, name, { dtype, shape, data: clamped(typedArrayOf(dtype, bytes)) })
    },
    storeOf: (used) => (used.some((name) => computed.get(name)?.store === own) ? own : weights),
  }

  const registers = new Map<string, number>(graph.inputs.map(({ name }, index) => [name, index]))
  let registerCount = graph.inputs.length
  const steps: Step[] = []
  const add = (node: GraphNode, operands: readonly Operand[], compute: Step['compute'], outputs: readonly string[]) => {
    const sources = operands.map(sourceOf)
    const targets = outputs.map((name) => {
      if (name !== '') registers.set(name, registerCount)
      return registerCount++
    })
    steps.push({ node, sources, compute, targets, last: [] })
  }
  // A value in another layout is a value of its own, made once, before the first node that wants it.
  const sourceOf = (operand: Operand): Source => {
    if (operand.kind === 'bound') return operand.tensor.isDisposed ? lost() : { kind: 'tensor', tensor: operand.tensor }
    const { name, layout, rank } = operand
    const from = layouts.get(name) ?? 'first'
    const own = values.get(name)!.shape.length
    if (rank < 3 || (from === layout && rank === own)) return { kind: 'register', index: registers.get(name)! }
    const key = `${name}:${layout}:${rank}`
    if (!registers.has(key)) {
      const node = graph.nodes.find(({ outputs }) => outputs.includes(name)) ?? graph.nodes[0]!
      add(node, [{ kind: 'value', name, layout: from, rank: own }], (tensor) => relay(tensor, from, layout, rank), [
        key,
      ])
    }
    return { kind: 'register', index: registers.get(key)! }
  }
  const relay = (tensor: TfTensor, from: Layout, layout: Layout, rank: number): TfTensor =>
    tensor.rank === rank
      ? relaid(tf, tensor, from, layout)
      : relaid(tf, raised(tf, relaid(tf, tensor, from, 'first'), rank), 'first', layout)

  try {
    const swallowed = new Set([...epilogues.values()].flatMap(({ nodes }) => nodes))
    for (const node of graph.nodes) {
      if (swallowed.has(node)) continue
      const operator = OPERATORS.get(node.op)!
      const epilogue = epilogues.get(node) ?? NO_EPILOGUE
      const site = siteOf(node, epilogue, knowledge)
      const outputs = (epilogue.nodes.at(-1) ?? node).outputs
      for (const name of outputs)
        if (name !== '' && tfDType(values.get(name)!.dtype) === null)
          site.refuse(`it gives ${values.get(name)!.dtype}, which TensorFlow.js does not have`)
      const given = node.inputs.filter((name) => name !== '')
      if (operator.fromShapes === true || given.every((name) => knowledge.isBound(name))) {
        const store = operator.fromShapes === true ? own : knowledge.storeOf(given)
        const tensors = computeNow(tf, store, node, outputs, () => operator.compile(site))
        for (const [i, name] of outputs.entries()) if (name !== '') computed.set(name, { store, tensor: tensors[i]! })
        continue
      }
      const { operands, layout = 'first', compute } = inNode(node, 'loading', () => operator.compile(site))
      add(node, operands, compute, outputs)
      for (const name of outputs) if (values.get(name) && values.get(name)!.shape.length >= 3) layouts.set(name, layout)
    }
    const results = graph.outputs.map(({ name }): Source =>
      knowledge.isBound(name)
        ? { kind: 'tensor', tensor: computed.get(name)?.tensor ?? weights.get(name, () => knowledge.bound(name)) }
        : sourceOf({ kind: 'value', name, layout: 'first', rank: values.get(name)!.shape.length }),
    )
    markLastReads(steps, results)
    return {
      run: (given) =>
        execute(
          tf,
          steps,
          results,
          graph.inputs.map(({ name }) => given.get(name)!),
        ),
      dispose: () => own.dispose(),
    }
  } catch (error) {
    own.dispose()
    throw error
  }
}

/** Names that are known before the graph runs: those given, and what is computed from them alone. */
function knownNames(graph: Graph, given: ReadonlySet<string>): ReadonlySet<string> {
  const known = new Set(given)
  for (const { inputs, outputs } of graph.nodes)
    if (inputs.length > 0 && inputs.every((name) => name === '' || known.has(name)))
      for (const name of outputs) known.add(name)
  return known
}

/** Slices write "to the end" as the largest int64, for which the largest int32 is as good. */
function clamped(data: ReturnType<typeof typedArrayOf>): ReturnType<typeof typedArrayOf> {
  if (!(data instanceof BigInt64Array)) return data
  return Int32Array.from(data, (number) =>
    Number(number > INT32_MAX ? INT32_MAX : number < -INT32_MAX ? -INT32_MAX : number),
  )
}
const INT32_MAX = 2n ** 31n - 1n

function computeNow(
  tf: Tf,
  store: BoundTensors,
  node: GraphNode,
  outputs: readonly string[],
  compile: () => Compiled,
): readonly TfTensor[] {
  return tf.tidy(() => {
    const there = outputs.every((name) => name === '' || store.has(name))
    const made = there ? [] : inNode(node, 'loading', () => first(tf, compile()))
    return outputs.map((name, i) => (name === '' ? tf.scalar(0) : store.get(name, () => made[i]!)))
  })
}

/** The results of a node whose operands are all there, in the layout of the graph. */
function first(tf: Tf, { operands, layout = 'first', compute }: Compiled): readonly TfTensor[] {
  const made = compute(...operands.map((operand) => (operand.kind === 'bound' ? operand.tensor : lost())))
  return listed(made).map((tensor) => relaid(tf, tensor, layout, 'first'))
}

const listed = (made: TfTensor | readonly TfTensor[]): readonly TfTensor[] =>
  Array.isArray(made) ? (made as readonly TfTensor[]) : [made as TfTensor]

function lost(): never {
  throw new AppError('ENGINE_FAILED', 'tensorflow: a value that should be known is not')
}

/** After each step, what nothing reads any more goes, so that a batch needs no more memory than its widest place. */
function markLastReads(steps: readonly Step[], results: readonly Source[]): void {
  const seen = new Set(results.flatMap((source) => (source.kind === 'register' ? [source.index] : [])))
  for (const step of steps.toReversed()) {
    const touched = [
      ...step.sources.flatMap((source) => (source.kind === 'register' ? [source.index] : [])),
      ...step.targets,
    ]
    for (const index of touched)
      if (!seen.has(index)) {
        seen.add(index)
        step.last.push(index)
      }
  }
}

function execute(
  tf: Tf,
  steps: readonly Step[],
  results: readonly Source[],
  inputs: readonly TfTensor[],
): readonly TfTensor[] {
  return tf.tidy(() => {
    const registers: TfTensor[] = [...inputs]
    const read = (source: Source): TfTensor => (source.kind === 'tensor' ? source.tensor : registers[source.index]!)
    for (const { node, sources, compute, targets, last } of steps) {
      const made = inNode(node, 'running a batch', () =>
        tf.tidy(() => {
          const operands = sources.map(read)
          // A result that is an operand gets an owner of its own; operands go when nothing reads them any more.
          return listed(compute(...operands)).map((tensor) => (operands.includes(tensor) ? tensor.clone() : tensor))
        }),
      )
      for (const [i, target] of targets.entries()) registers[target] = made[i]!
      for (const index of last) registers[index]!.dispose()
    }
    return results.map((source) => read(source).clone())
  })
}

function inNode<T>(node: GraphNode, doing: string, compute: () => T): T {
  try {
    return compute()
  } catch (error) {
    throw engineError(`${doing}, ${nodeText(node)}`, error)
  }
}
