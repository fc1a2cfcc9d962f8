import { z } from 'zod'
import { flag, number, size } from './arguments.ts'
import { expectInput, int, ints, layer, strings, text, type Flow, type Layer, type Site } from './layer.ts'

const batchFirst = z.literal(true, { error: 'true: the first dimension is the batch' })
const none = z.literal(0, { error: '0: projections are not supported' }).default(0)

const shared = {
  input_size: size,
  hidden_size: size,
  num_layers: size.max(64, 'at most 64').default(1),
  bias: flag.default(true),
  batch_first: batchFirst,
  dropout: number.default(0),
  bidirectional: flag.default(false),
  output: z.enum(['sequence', 'last'], '"sequence" or "last"').default('sequence'),
}

interface Given {
  readonly input_size: number
  readonly hidden_size: number
  readonly num_layers: number
  readonly bias: boolean
  readonly bidirectional: boolean
  /** Not torch's, whose layer gives both: all steps, or the last hidden state of the last layer, both directions one after the other. */
  readonly output: 'sequence' | 'last'
}

/** How torch's weights become those of an ONNX operator. */
interface Cell {
  readonly op: string
  /** For each gate of ONNX, in order, its place in torch's weights. */
  readonly gates: readonly number[]
  readonly attributes?: Readonly<Record<string, ReturnType<typeof int>>>
  readonly activations?: readonly string[]
}

/**
 * A stack of recurrent layers. Keys are torch's: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, then `…_l0_reverse`, `…_l1`.
 * The order of gates is that of torch/nn/modules/rnn.py and of the ONNX specification.
 */
function stack(given: Given, { op, gates, attributes, activations }: Cell, input: Flow, site: Site): Flow {
  const { input_size, hidden_size: hidden, num_layers, bias, bidirectional } = given
  expectInput(site, input, [2], `[N, time, ${input_size}]`)
  const [time, features] = input.shape as [number, number]
  if (features !== input_size) site.fail(`expects ${input_size} features, the layer before gives ${features}`)
  const directions = bidirectional ? ['', '_reverse'] : ['']
  const ordered = (leaf: string, shape: readonly number[]): string =>
    inOrder(site, site.parameter(leaf, shape), gates, hidden)
  // Time comes first inside.
  let series = site.node('Transpose', [input.value], { perm: ints([1, 0, 2]) })
  let width = input_size
  for (let index = 0; index < num_layers; index++) {
    const rows = gates.length * hidden
    const parts = directions.map((suffix) => {
      const leaf = (name: string): string => `${name}_l${index}${suffix}`
      const [w, r] = [ordered(leaf('weight_ih'), [rows, width]), ordered(leaf('weight_hh'), [rows, hidden])]
      const biases = bias ? [ordered(leaf('bias_ih'), [rows]), ordered(leaf('bias_hh'), [rows])] : []
      return { w, r, b: bias ? [site.node('Concat', biases, { axis: int(0) })] : [] }
    })
    const joined = (values: readonly string[]): string => {
      const axis = site.constant(`direction ${index}`, 'int64', [1], () => [0])
      const each = values.map((value) => site.node('Unsqueeze', [value, axis]))
      return each.length === 1 ? each[0]! : site.node('Concat', each, { axis: int(0) })
    }
    const all = site.node(
      op,
      [
        series,
        joined(parts.map(({ w }) => w)),
        joined(parts.map(({ r }) => r)),
        ...(bias ? [joined(parts.flatMap(({ b }) => b))] : []),
      ],
      {
        hidden_size: int(hidden),
        ...(bidirectional ? { direction: text('bidirectional') } : {}),
        ...(activations ? { activations: strings(directions.flatMap(() => activations)) } : {}),
        ...attributes,
      },
    )
    width = hidden * directions.length
    if (index === num_layers - 1 && given.output === 'last') {
      const last = directions.map((_, direction) => lastState(site, all, direction, time))
      const value = last.length === 1 ? last[0]! : site.node('Concat', last, { axis: int(1) })
      return { ...input, value, shape: [width] }
    }
    // [time, direction, batch, hidden] with the directions side by side.
    const apart = site.node('Transpose', [all], { perm: ints([2, 0, 1, 3]) })
    const shape = site.constant(`sequence ${index}`, 'int64', [3], () => [0, time, width])
    const batched = site.node('Reshape', [apart, shape])
    if (index === num_layers - 1) return { ...input, value: batched, shape: [time, width] }
    series = site.node('Transpose', [batched], { perm: ints([1, 0, 2]) })
  }
  return site.fail('has no layer')
}

/** Rows of a weight or bias in blocks of `hidden`, in another order. */
function inOrder(site: Site, value: string, gates: readonly number[], hidden: number): string {
  if (gates.every((gate, i) => gate === i)) return value
  const axis = site.constant('gate axis', 'int64', [1], () => [0])
  const blocks = gates.map((gate) =>
    site.node('Slice', [
      value,
      site.constant(`gate ${gate} start`, 'int64', [1], () => [gate * hidden]),
      site.constant(`gate ${gate} end`, 'int64', [1], () => [(gate + 1) * hidden]),
      axis,
    ]),
  )
  return site.node('Concat', blocks, { axis: int(0) })
}

/** The state after the last step: the reverse direction takes the first one last. */
function lastState(site: Site, all: string, direction: number, time: number): string {
  const step = site.constant(`last step ${direction}`, 'int64', [], () => [direction === 0 ? time - 1 : 0])
  const index = site.constant(`direction index ${direction}`, 'int64', [], () => [direction])
  const states = site.node('Gather', [all, step], { axis: int(0) })
  return site.node('Gather', [states, index], { axis: int(0) })
}

/** Recurrent layers. Their sequence is what flows on; `"output": "last"` takes the last hidden state instead. */
export const RECURRENT: readonly Layer[] = [
  layer('LSTM', z.strictObject({ ...shared, proj_size: none }), (given, input, site) =>
    stack(given, { op: 'LSTM', gates: [0, 3, 1, 2] }, input, site),
  ),
  layer('GRU', z.strictObject(shared), (given, input, site) =>
    stack(given, { op: 'GRU', gates: [1, 0, 2], attributes: { linear_before_reset: int(1) } }, input, site),
  ),
  layer(
    'RNN',
    z.strictObject({ ...shared, nonlinearity: z.enum(['tanh', 'relu'], '"tanh" or "relu"').default('tanh') }),
    (given, input, site) =>
      stack(
        given,
        { op: 'RNN', gates: [0], activations: [given.nonlinearity === 'relu' ? 'Relu' : 'Tanh'] },
        input,
        site,
      ),
  ),
]
