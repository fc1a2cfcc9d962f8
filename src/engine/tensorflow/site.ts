import type { GraphNode, GraphValue } from '../../architecture/index.ts'
import { AppError } from '../../error.ts'
import type { BoundTensors } from './bound-tensors.ts'
import { nodeText } from './engine-error.ts'
import type { Epilogue } from './epilogue.ts'
import { relaid, type Layout } from './layout.ts'
import type { Tf, TfTensor } from './library.ts'
import type { Site } from './operators/operator.ts'

/** What a program knows while it is compiled. */
export interface Knowledge {
  readonly tf: Tf
  readonly opset: number
  /** Shape and dtype of every value; all sizes are numbers. */
  readonly values: ReadonlyMap<string, GraphValue>
  /** The layout of every value that an earlier node gives; others are as in the graph. */
  readonly layouts: ReadonlyMap<string, Layout>
  isBound(name: string): boolean
  /** A bound value as a tensor that lives as long as the surrounding tidy. */
  bound(name: string): TfTensor
  /** Where tensors go that are computed from these names: with the weights, or with the shapes of this program. */
  storeOf(names: readonly string[]): BoundTensors
}

/** A node of a program, to its operator. */
export function siteOf(node: GraphNode, epilogue: Epilogue, knowledge: Knowledge): Site {
  const { tf, values, layouts } = knowledge
  const refuse = (message: string): never => {
    throw new AppError(
      'ARCHITECTURE_UNSUPPORTED_OPERATOR',
      `the engine tensorflow does not execute ${nodeText(node)}: ${message}; use the engine onnxruntime`,
    )
  }
  const nameOf = (input: number): string => node.inputs[input] ?? ''
  const value = (name: string): GraphValue =>
    values.get(name) ?? refuse(`the value ${JSON.stringify(name)} is not known`)
  const shapeOf = (name: string): readonly number[] => value(name).shape as readonly number[]
  const has = (input: number): boolean => nameOf(input) !== ''
  const isBound = (input: number): boolean => knowledge.isBound(nameOf(input))
  const attribute = (name: string) => (Object.hasOwn(node.attributes, name) ? node.attributes[name] : undefined)
  const elements = (input: number): readonly number[] | undefined =>
    has(input) && isBound(input)
      ? tf.tidy(() => Array.from(knowledge.bound(nameOf(input)).dataSync<'float32'>()))
      : undefined
  const last = epilogue.nodes.at(-1) ?? node

  return {
    tf,
    node,
    opset: knowledge.opset,
    epilogue,
    inputCount: node.inputs.length,
    outputCount: node.outputs.length,
    has,
    shape: (input) => shapeOf(nameOf(input)),
    dtype: (input) => value(nameOf(input)).dtype,
    outputShape: (output = 0) => shapeOf(last.outputs[output]!),
    outputDType: (output = 0) => value(last.outputs[output]!).dtype,
    isBound,
    layout: (input) => layouts.get(nameOf(input)) ?? 'first',
    take(input, layout = 'first', rank = shapeOf(nameOf(input)).length) {
      const name = nameOf(input)
      if (!knowledge.isBound(name)) return { kind: 'value', name, layout, rank }
      const key = `${name}:${layout}:${rank}`
      const tensor = knowledge
        .storeOf([name])
        .get(key, () => relaid(tf, raised(tf, knowledge.bound(name), rank), 'first', layout))
      return { kind: 'bound', tensor }
    },
    bind(purpose, make) {
      const used: string[] = [...node.inputs]
      for (const { inputs } of epilogue.nodes) used.push(...inputs)
      const names = used.filter((name) => name !== '' && knowledge.isBound(name))
      const tensor = knowledge
        .storeOf(names)
        .get(`${node.outputs[0]!}/${purpose}`, () =>
          make((name) => knowledge.bound(typeof name === 'number' ? nameOf(name) : name)),
        )
      return { kind: 'bound', tensor }
    },
    elements,
    known: (input) =>
      has(input)
        ? (elements(input) ?? refuse(`its input ${nameOf(input)} is only known when the graph runs`))
        : undefined,
    int(name) {
      const found = attribute(name)
      return found?.kind === 'int' ? found.value : undefined
    },
    float(name, otherwise) {
      const found = attribute(name)
      return found?.kind === 'float' ? found.value : otherwise
    },
    ints(name) {
      const found = attribute(name)
      return found?.kind === 'ints' ? found.value : undefined
    },
    text(name) {
      const found = attribute(name)
      return found?.kind === 'string' ? found.value : undefined
    },
    texts(name) {
      const found = attribute(name)
      return found?.kind === 'strings' ? found.value : undefined
    },
    axis: (axis, rank = shapeOf(nameOf(0)).length) => (axis < 0 ? axis + rank : axis),
    refuse,
  }
}

/** The tensor with ones in front of its shape, up to a rank. */
export const raised = (tf: Tf, tensor: TfTensor, rank: number): TfTensor =>
  tensor.rank >= rank ? tensor : tf.reshape(tensor, [...new Array<number>(rank - tensor.rank).fill(1), ...tensor.shape])
