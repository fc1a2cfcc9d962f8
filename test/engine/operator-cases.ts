import type { AttributeValue, Constant, Graph } from '../../src/architecture/index.ts'
import type { DType, Tensor, TypedArray } from '../../src/tensor/index.ts'
import { graph, int, ints, noise } from './graphs.ts'

/** One operator with inputs, weights and constants; what it gives is compared between engines. */
export interface OperatorCase {
  readonly op: string
  readonly graph: Graph
  readonly values: Readonly<Record<string, TypedArray>>
  readonly inputs: Readonly<Record<string, Tensor>>
}

type Numbers = readonly number[]

/** What a case is written with: `x` and further inputs by shape, then parameters, then constants. */
interface Sketch {
  readonly x?: Numbers | Tensor
  readonly more?: Readonly<Record<string, Numbers | Tensor>>
  readonly weights?: Readonly<Record<string, Numbers>>
  readonly constants?: Readonly<Record<string, Constant>>
  readonly attributes?: Readonly<Record<string, AttributeValue>>
  /** Names of the node's inputs, '' for an omitted one; by default all of the above in order. */
  readonly names?: readonly string[]
  /** Rank of each output. */
  readonly outputs?: readonly (DType | undefined)[]
  readonly opset?: number
  readonly rank?: number
  /** Makes the numbers of x and weights acceptable, for example positive. */
  readonly of?: (x: number) => number
}

export const float = (value: number): AttributeValue => ({ kind: 'float', value })
export const text = (value: string): AttributeValue => ({ kind: 'string', value })
export const texts = (...value: string[]): AttributeValue => ({ kind: 'strings', value })

/** The largest int64: to the end. */
const END = Infinity

/** A constant of whole numbers. */
export const longs = (...numbers: number[]): Constant => ({
  name: '',
  dtype: 'int64',
  shape: [numbers.length],
  bytes: new Uint8Array(
    BigInt64Array.from(numbers, (number) => (number === END ? 2n ** 63n - 1n : BigInt(number))).buffer,
  ),
})
/** A constant of fractions; a single one is a scalar. */
export const singles = (...numbers: number[]): Constant => ({
  name: '',
  dtype: 'float32',
  shape: numbers.length === 1 ? [] : [numbers.length],
  bytes: new Uint8Array(Float32Array.from(numbers).buffer),
})
/** An int64 tensor. */
export const longTensor = (shape: Numbers, numbers: Numbers): Tensor => ({
  dtype: 'int64',
  shape,
  data: BigInt64Array.from(numbers, BigInt),
})
/** A bool tensor. */
export const bits = (shape: Numbers, numbers: Numbers): Tensor => ({
  dtype: 'bool',
  shape,
  data: Uint8Array.from(numbers),
})

let seed = 1
const random = (shape: Numbers, of: (x: number) => number): Float32Array =>
  noise(
    shape.reduce((product, size) => product * size, 1),
    (seed += 7),
  ).map((x) => of(2 * x))

const isTensor = (each: Numbers | Tensor): each is Tensor => 'dtype' in each

/** A graph of one node. The batch is the first size of x. */
export function operatorCase(op: string, sketch: Sketch): OperatorCase {
  const { more = {}, weights = {}, constants = {}, attributes = {}, of = (x: number) => x } = sketch
  const given: Record<string, Numbers | Tensor> = { x: sketch.x ?? [2, 3, 4, 5], ...more }
  const tensor = (each: Numbers | Tensor): Tensor =>
    isTensor(each) ? each : { dtype: 'float32', shape: each, data: random(each, of) }
  const inputs = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, tensor(value)]))
  const outputs = sketch.outputs ?? [undefined]
  const made = graph({
    opset: sketch.opset ?? 20,
    inputs: Object.entries(inputs).map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    outputs: outputs.map((dtype, i) => ({
      name: `y${i}`,
      dtype: dtype ?? 'float32',
      shape: Array.from({ length: sketch.rank ?? inputs['x']!.shape.length }, (_, axis) => `d${i}${axis}`),
    })),
    nodes: [
      {
        name: op,
        op,
        domain: '',
        inputs: sketch.names ?? [...Object.keys(given), ...Object.keys(weights), ...Object.keys(constants)],
        outputs: outputs.map((_, i) => `y${i}`),
        attributes,
      },
    ],
    parameters: Object.entries(weights).map(([name, shape]) => ({
      name,
      keys: [name],
      dtype: 'float32',
      shape,
      optional: false,
    })),
    constants: Object.entries(constants).map(([name, constant]) => ({ ...constant, name })),
  })
  const values = Object.fromEntries(Object.entries(weights).map(([name, shape]) => [name, random(shape, of)]))
  return { op, graph: made, values, inputs }
}

/**
 * The case with channels at the end, for an engine that moves them there: x goes through a pooling of single elements first. Null
 * where x has no spatial dimensions.
 */
export function withPooledInput(each: OperatorCase): OperatorCase | null {
  const [input] = each.graph.inputs
  const [node] = each.graph.nodes
  const spatial = input!.shape.length - 2
  if (spatial < 1 || spatial > 3 || input!.dtype !== 'float32' || !node!.inputs.includes('x')) return null
  const pool = {
    ...node!,
    name: 'pool',
    op: 'MaxPool',
    inputs: ['x'],
    outputs: ['pooled'],
    attributes: { kernel_shape: ints(...new Array<number>(spatial).fill(1)) },
  }
  const reading = { ...node!, inputs: node!.inputs.map((name) => (name === 'x' ? 'pooled' : name)) }
  return { ...each, graph: { ...each.graph, nodes: [pool, reading] } }
}

const positive = (x: number): number => Math.abs(x) + 0.1
const inside = (x: number): number => x * 0.45
const image = [2, 6, 7, 9]

const unary = (op: string, more: Sketch = {}): OperatorCase[] => [
  operatorCase(op, { x: [3, 5], ...more }),
  operatorCase(op, more),
]
const binary = (op: string, more: Sketch = {}): OperatorCase[] => [
  operatorCase(op, { ...more, more: { b: [2, 3, 4, 5] } }),
  operatorCase(op, { ...more, weights: { b: [4, 1] } }),
  operatorCase(op, { ...more, x: [5], weights: { b: [2, 1, 5] }, rank: 3 }),
]
const reduce = (op: string, more: Sketch = {}): OperatorCase[] => [
  operatorCase(op, { ...more, constants: { axes: longs(2, 3) } }),
  operatorCase(op, { ...more, constants: { axes: longs(1) }, attributes: { keepdims: int(0) }, rank: 3 }),
  operatorCase(op, { ...more, constants: { axes: longs(-1, 1) }, attributes: { keepdims: int(0) }, rank: 2 }),
]
const whole = (shape: Numbers, numbers: Numbers) => longTensor(shape, numbers)
const six = [5, -5, 7, -7, 9, 0]

const conv = (
  x: Numbers,
  w: Numbers,
  attributes: Sketch['attributes'],
  bias = true,
  op = 'Conv',
  channels = w[0]!,
): OperatorCase =>
  operatorCase(op, { x, weights: { w, ...(bias ? { b: [channels] } : {}) }, attributes: attributes ?? {} })

const pool = (op: string, attributes: Sketch['attributes'], x: Numbers = image): OperatorCase =>
  operatorCase(op, { x, attributes: attributes ?? {} })

const recurrent = (op: string, gates: number, attributes: NonNullable<Sketch['attributes']>, more: Sketch = {}) => {
  const directions = attributes['direction']?.value === 'bidirectional' ? 2 : 1
  return operatorCase(op, {
    x: [5, 2, 3],
    weights: { w: [directions, gates * 4, 3], r: [directions, gates * 4, 4], b: [directions, gates * 8] },
    attributes: { hidden_size: int(4), ...attributes },
    outputs: op === 'LSTM' ? [undefined, undefined, undefined] : [undefined, undefined],
    ...more,
  })
}

/** Every operator, with the attributes that change what it does. */
export const OPERATOR_CASES: readonly OperatorCase[] = [
  ...['Add', 'Sub', 'Mul', 'Div', 'Min', 'Max', 'Sum', 'Mean'].flatMap((op) => binary(op)),
  ...binary('Pow', { of: positive }),
  operatorCase('Pow', { constants: { two: singles(2) } }),
  operatorCase('Div', { x: whole([6], six), more: { b: whole([6], [2, 2, -2, -2, 4, 3]) }, outputs: ['int64'] }),
  operatorCase('Mod', { x: whole([6], six), more: { b: whole([6], [3, 3, -3, -3, 4, 3]) }, outputs: ['int64'] }),
  operatorCase('Mod', { x: [6], more: { b: [6] }, attributes: { fmod: int(1) } }),
  operatorCase('Add', { x: whole([6], six), more: { b: whole([6], six) }, outputs: ['int64'] }),

  ...['Abs', 'Neg', 'Sign', 'Ceil', 'Floor', 'Round', 'Exp', 'Reciprocal', 'Erf', 'Sin', 'Cos', 'Atan', 'Sinh'].flatMap(
    (op) => unary(op),
  ),
  ...['Cosh', 'Asinh', 'Tanh', 'Sigmoid', 'Relu', 'Softplus', 'Softsign', 'LeakyRelu', 'Elu', 'Celu'].flatMap((op) =>
    unary(op),
  ),
  ...['ThresholdedRelu', 'Selu', 'HardSigmoid', 'HardSwish', 'Mish', 'Gelu', 'Identity', 'Dropout'].flatMap((op) =>
    unary(op),
  ),
  ...['Sqrt', 'Log'].flatMap((op) => unary(op, { of: positive })),
  ...['Tan', 'Asin', 'Acos', 'Atanh'].flatMap((op) => unary(op, { of: inside })),
  ...unary('Acosh', { of: (x) => 1.1 + Math.abs(x) }),
  ...unary('Gelu', { attributes: { approximate: text('tanh') } }),
  ...unary('LeakyRelu', { attributes: { alpha: float(0.3) } }),
  ...unary('Elu', { attributes: { alpha: float(0.3) } }),
  ...unary('Celu', { attributes: { alpha: float(0.3) } }),
  ...unary('Selu', { attributes: { alpha: float(1.3), gamma: float(0.7) } }),
  ...unary('HardSigmoid', { attributes: { alpha: float(0.3), beta: float(0.4) } }),
  ...unary('ThresholdedRelu', { attributes: { alpha: float(0.3) } }),
  operatorCase('PRelu', { weights: { slope: [3, 1, 1] } }),
  operatorCase('Clip', { constants: { low: singles(-0.5), high: singles(0.7) } }),
  operatorCase('Clip', { constants: { low: singles(0), high: singles(6) } }),
  operatorCase('Clip', { constants: { high: singles(0.3) }, names: ['x', '', 'high'] }),
  ...['Softmax', 'LogSoftmax', 'Hardmax'].flatMap((op) => [
    operatorCase(op, {}),
    operatorCase(op, { attributes: { axis: int(1) } }),
  ]),

  ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'].flatMap((op) => [
    operatorCase(op, { more: { b: [2, 3, 4, 5] }, outputs: ['bool'], of: Math.round }),
    operatorCase(op, { x: whole([6], six), more: { b: whole([6], [5, 5, 7, 7, 0, 0]) }, outputs: ['bool'] }),
  ]),
  ...['And', 'Or', 'Xor'].map((op) =>
    operatorCase(op, { x: bits([4], [0, 0, 1, 1]), more: { b: bits([4], [0, 1, 0, 1]) }, outputs: ['bool'] }),
  ),
  operatorCase('Not', { x: bits([2], [0, 1]), outputs: ['bool'] }),
  operatorCase('IsNaN', { x: [4], outputs: ['bool'], of: (x) => (x > 0 ? NaN : x) }),
  ...[{}, { detect_negative: int(0) }, { detect_positive: int(0) }].map((attributes) =>
    operatorCase('IsInf', { x: [8], outputs: ['bool'], of: (x) => x / (Math.abs(x) > 1 ? 0 : 1), attributes }),
  ),
  operatorCase('Where', {
    x: [2, 3],
    more: { c: bits([2, 1], [1, 0]), b: [3] },
    names: ['c', 'x', 'b'],
  }),
  operatorCase('Cast', { x: [3, 4], attributes: { to: int(7) }, outputs: ['int64'] }),
  operatorCase('Cast', { x: [3, 4], attributes: { to: int(9) }, outputs: ['bool'], of: Math.round }),
  operatorCase('Cast', { x: whole([6], six), attributes: { to: int(1) } }),
  operatorCase('CastLike', { x: whole([6], six), constants: { like: singles(0, 1) } }),

  operatorCase('Reshape', { constants: { shape: longs(0, -1, 2) }, rank: 3 }),
  operatorCase('Flatten', { rank: 2 }),
  operatorCase('Flatten', { attributes: { axis: int(-1) }, rank: 2 }),
  operatorCase('Squeeze', { x: [2, 1, 3, 1], constants: { axes: longs(1) }, rank: 3 }),
  operatorCase('Unsqueeze', { x: [2, 3], constants: { axes: longs(1, -1) }, rank: 4 }),
  operatorCase('Transpose', { attributes: { perm: ints(0, 3, 1, 2) } }),
  operatorCase('Transpose', {}),
  operatorCase('Expand', { x: [3, 1], constants: { shape: longs(2, 1, 4) }, rank: 3 }),
  operatorCase('Tile', { x: [2, 3], constants: { repeats: longs(1, 2) } }),
  operatorCase('Shape', { outputs: ['int64'], rank: 1 }),
  operatorCase('Shape', { attributes: { start: int(1), end: int(-1) }, outputs: ['int64'], rank: 1 }),
  operatorCase('Size', { outputs: ['int64'], rank: 0 }),
  operatorCase('ConstantOfShape', {
    x: [1],
    constants: { shape: longs(2, 3) },
    names: ['shape'],
    attributes: { value: { kind: 'tensor', value: { ...singles(2.5), shape: [1] } } },
    rank: 2,
  }),
  operatorCase('Range', {
    x: [1],
    constants: { start: singles(1), limit: singles(4), step: singles(0.5) },
    names: ['start', 'limit', 'step'],
    rank: 1,
  }),

  conv(image, [4, 6, 3, 3], { pads: ints(1, 1, 1, 1) }),
  conv(image, [4, 6, 3, 2], { pads: ints(0, 2, 1, 0), strides: ints(2, 1) }, false),
  conv(image, [4, 6, 2, 3], { dilations: ints(2, 2) }),
  conv(image, [4, 6, 2, 2], { dilations: ints(2, 3), strides: ints(2, 2) }),
  conv(image, [4, 3, 3, 3], { group: int(2), pads: ints(1, 0, 1, 0) }),
  conv(image, [6, 1, 3, 3], { group: int(6), pads: ints(1, 1, 1, 1), strides: ints(2, 2) }),
  conv(image, [12, 1, 3, 2], { group: int(6), strides: ints(1, 2) }),
  conv(image, [6, 1, 3, 3], { group: int(6), dilations: ints(2, 2), pads: ints(2, 2, 2, 2) }),
  conv(image, [4, 6, 3, 4], { auto_pad: text('SAME_UPPER'), strides: ints(2, 2) }),
  conv(image, [4, 6, 4, 4], { auto_pad: text('SAME_LOWER') }),
  conv(image, [4, 6, 3, 3], { auto_pad: text('VALID') }),
  conv([2, 4, 11], [6, 4, 3], { pads: ints(1, 2), strides: ints(2) }),
  conv([2, 4, 11], [4, 1, 3], { group: int(4), dilations: ints(3) }),
  conv([2, 4, 11], [6, 2, 3], { group: int(2), dilations: ints(2), strides: ints(2) }),
  conv([1, 2, 5, 4, 6], [4, 2, 2, 3, 3], { pads: ints(1, 0, 1, 0, 1, 1), strides: ints(1, 1, 2) }),
  conv([1, 2, 5, 4, 6], [4, 1, 2, 2, 2], { group: int(2) }),
  conv(image, [6, 4, 3, 3], { pads: ints(1, 1, 1, 1), strides: ints(2, 2) }, true, 'ConvTranspose', 4),
  conv(image, [6, 4, 2, 3], { strides: ints(2, 3), output_padding: ints(1, 2) }, false, 'ConvTranspose'),
  conv(image, [6, 2, 3, 3], { group: int(2), pads: ints(0, 1, 2, 0) }, true, 'ConvTranspose', 4),
  conv(image, [6, 1, 3, 3], { group: int(6), strides: ints(2, 2) }, true, 'ConvTranspose', 6),
  conv(image, [6, 4, 3, 2], { dilations: ints(2, 3), strides: ints(2, 1) }, true, 'ConvTranspose', 4),
  conv(image, [6, 4, 3, 3], { auto_pad: text('SAME_UPPER'), strides: ints(2, 2) }, true, 'ConvTranspose', 4),
  conv([2, 4, 7], [4, 3, 3], { strides: ints(2), pads: ints(1, 0) }, true, 'ConvTranspose', 3),

  pool('MaxPool', { kernel_shape: ints(3, 2), strides: ints(2, 2), pads: ints(1, 0, 1, 1) }),
  pool('MaxPool', { kernel_shape: ints(3, 3), strides: ints(2, 2), ceil_mode: int(1) }),
  pool('MaxPool', { kernel_shape: ints(2, 3), dilations: ints(2, 2) }),
  pool('MaxPool', { kernel_shape: ints(3), strides: ints(2), pads: ints(1, 1) }, [2, 3, 10]),
  pool('MaxPool', { kernel_shape: ints(2, 2, 2) }, [1, 2, 4, 5, 6]),
  pool('MaxPool', { kernel_shape: ints(3, 3), auto_pad: text('SAME_UPPER'), strides: ints(2, 2) }),
  pool('AveragePool', { kernel_shape: ints(3, 2), strides: ints(2, 1), pads: ints(1, 1, 1, 0) }),
  pool('AveragePool', { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1), count_include_pad: int(1) }),
  pool('AveragePool', { kernel_shape: ints(3, 3), strides: ints(2, 2), ceil_mode: int(1) }),
  pool('AveragePool', { kernel_shape: ints(3), strides: ints(2), pads: ints(1, 0) }, [2, 3, 10]),
  pool('AveragePool', { kernel_shape: ints(2, 2, 2) }, [1, 2, 4, 5, 6]),
  pool('AveragePool', { kernel_shape: ints(4, 4), auto_pad: text('SAME_LOWER') }),
  pool('LpPool', { kernel_shape: ints(2, 3), p: int(3) }),
  pool('GlobalAveragePool', {}),
  pool('GlobalMaxPool', {}),
  pool('GlobalLpPool', { p: int(2) }),

  operatorCase('MatMul', { x: [3, 4], weights: { w: [4, 5] } }),
  operatorCase('MatMul', { x: [2, 3, 4], weights: { w: [4, 5] } }),
  operatorCase('MatMul', { x: [2, 3, 4, 5], more: { w: [2, 1, 5, 6] } }),
  operatorCase('MatMul', { x: [2, 3, 4], weights: { w: [4] }, rank: 2 }),
  operatorCase('MatMul', { x: [4], weights: { w: [4, 5] }, rank: 1 }),
  operatorCase('Gemm', { x: [3, 4], weights: { w: [5, 4], b: [5] }, attributes: { transB: int(1) } }),
  operatorCase('Gemm', {
    x: [4, 3],
    weights: { w: [4, 5], b: [3, 1] },
    attributes: { transA: int(1), alpha: float(0.5), beta: float(2) },
  }),
  operatorCase('Gemm', { x: [3, 4], more: { w: [4, 5], b: [3, 5] }, attributes: { beta: float(0.5) } }),
  operatorCase('Einsum', {
    x: [2, 3, 4],
    more: { b: [2, 5, 4] },
    attributes: { equation: text('bid,bjd->bij') },
  }),

  operatorCase('BatchNormalization', { weights: { s: [3], b: [3], m: [3], v: [3] }, of: positive }),
  operatorCase('BatchNormalization', { x: [4, 3], weights: { s: [3], b: [3], m: [3], v: [3] }, of: positive }),
  operatorCase('InstanceNormalization', { weights: { s: [3], b: [3] }, attributes: { epsilon: float(0.01) } }),
  operatorCase('InstanceNormalization', { x: [2, 3, 8], weights: { s: [3], b: [3] } }),
  operatorCase('GroupNormalization', {
    x: image,
    weights: { s: [6], b: [6] },
    attributes: { num_groups: int(3) },
    opset: 21,
  }),
  operatorCase('LayerNormalization', { weights: { s: [5], b: [5] } }),
  operatorCase('LayerNormalization', { weights: { s: [4, 5] }, attributes: { axis: int(2), epsilon: float(0.1) } }),
  operatorCase('RMSNormalization', { weights: { s: [5] }, opset: 23 }),
  operatorCase('LpNormalization', {}),
  operatorCase('LpNormalization', { attributes: { axis: int(1), p: int(1) } }),
  operatorCase('LRN', {
    x: image,
    attributes: { size: int(3), alpha: float(0.1), beta: float(0.6), bias: float(1.5) },
  }),
  operatorCase('MeanVarianceNormalization', { attributes: { axes: ints(2, 3) } }),

  ...['ReduceSum', 'ReduceProd', 'ReduceMax', 'ReduceMin', 'ReduceMean'].flatMap((op) => reduce(op)),
  ...['ReduceL1', 'ReduceL2', 'ReduceLogSumExp', 'ReduceSumSquare'].flatMap((op) => reduce(op)),
  ...reduce('ReduceLogSum', { of: positive }),
  operatorCase('ReduceSum', { x: [3, 4], attributes: { noop_with_empty_axes: int(1) } }),
  ...['ArgMax', 'ArgMin'].flatMap((op) => [
    operatorCase(op, { attributes: { axis: int(1) }, outputs: ['int64'] }),
    operatorCase(op, { attributes: { axis: int(-1), keepdims: int(0) }, outputs: ['int64'], rank: 3 }),
    operatorCase(op, {
      x: [2, 6],
      attributes: { axis: int(1), select_last_index: int(1) },
      outputs: ['int64'],
      of: Math.round,
    }),
  ]),
  operatorCase('TopK', { constants: { k: longs(2) }, outputs: [undefined, 'int64'] }),
  operatorCase('TopK', {
    constants: { k: longs(2) },
    attributes: { axis: int(1), largest: int(0) },
    outputs: [undefined, 'int64'],
  }),
  operatorCase('CumSum', { constants: { axis: { ...longs(1), shape: [] } } }),
  operatorCase('CumSum', {
    constants: { axis: { ...longs(-1), shape: [] } },
    attributes: { exclusive: int(1), reverse: int(1) },
  }),

  operatorCase('Concat', { more: { b: [2, 1, 4, 5] }, weights: { c: [2, 2, 4, 5] }, attributes: { axis: int(1) } }),
  operatorCase('Split', {
    constants: { sizes: longs(1, 3) },
    attributes: { axis: int(2) },
    outputs: [undefined, undefined],
  }),
  operatorCase('Split', { attributes: { axis: int(-1), num_outputs: int(2) }, outputs: [undefined, undefined] }),
  operatorCase('Slice', {
    constants: { starts: longs(1, -3), ends: longs(3, END), axes: longs(1, 3), steps: longs(1, 2) },
  }),
  operatorCase('Slice', { constants: { starts: longs(-1), ends: longs(-100), axes: longs(2), steps: longs(-2) } }),
  operatorCase('Pad', { constants: { pads: longs(0, 0, 1, 2, 0, 0, 0, 1), value: singles(0.5) } }),
  operatorCase('Pad', { constants: { pads: longs(0, 0, -1, 2, 0, 0, 0, -1) } }),
  ...['reflect', 'edge', 'wrap'].map((mode) =>
    operatorCase('Pad', {
      constants: { pads: longs(0, 0, 2, 1, 0, 0, 1, 3) },
      attributes: { mode: text(mode) },
    }),
  ),
  operatorCase('Trilu', { x: [2, 4, 5], attributes: { upper: int(0) } }),
  operatorCase('Trilu', { x: [2, 4, 5], constants: { k: { ...longs(1), shape: [] } } }),
  operatorCase('Gather', {
    x: whole([2, 3], [0, 3, -1, 2, 2, -4]),
    weights: { table: [4, 5] },
    names: ['table', 'x'],
    rank: 3,
  }),
  operatorCase('Gather', { constants: { at: longs(2, 0, -1) }, attributes: { axis: int(1) } }),
  operatorCase('Gather', { constants: { at: { ...longs(-1), shape: [] } }, attributes: { axis: int(2) }, rank: 3 }),
  operatorCase('GatherElements', {
    x: [2, 3],
    more: { at: whole([2, 2], [0, -1, 2, 1]) },
    attributes: { axis: int(1) },
  }),
  operatorCase('GatherND', { x: [2, 3, 4], more: { at: whole([2, 2], [0, 1, 1, -1]) }, rank: 2 }),
  operatorCase('ScatterND', { x: [4, 3], more: { at: whole([2, 1], [3, 0]), to: [2, 3] } }),
  operatorCase('ScatterND', {
    x: [4, 3],
    more: { at: whole([3, 1], [3, 0, 3]), to: [3, 3] },
    attributes: { reduction: text('add') },
  }),
  operatorCase('ScatterElements', {
    x: [2, 4],
    more: { at: whole([2, 2], [0, -1, 2, 1]), to: [2, 2] },
    attributes: { axis: int(1) },
  }),
  operatorCase('OneHot', {
    x: whole([4], [0, 2, -1, 7]),
    constants: { depth: { ...longs(3), shape: [] }, values: singles(-1, 4) },
    rank: 2,
  }),
  operatorCase('OneHot', {
    x: whole([2, 2], [0, 2, 1, 1]),
    constants: { depth: { ...longs(3), shape: [] }, values: singles(0, 1) },
    attributes: { axis: int(1) },
    rank: 3,
  }),
  operatorCase('DepthToSpace', { x: [2, 8, 3, 2], attributes: { blocksize: int(2) } }),
  operatorCase('DepthToSpace', { x: [2, 8, 3, 2], attributes: { blocksize: int(2), mode: text('CRD') } }),
  operatorCase('SpaceToDepth', { x: [2, 2, 4, 6], attributes: { blocksize: int(2) } }),

  ...['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'].flatMap((mode) =>
    ['linear', 'cubic'].flatMap((kind) => [
      operatorCase('Resize', {
        constants: { sizes: longs(2, 3, 7, 3) },
        names: ['x', '', '', 'sizes'],
        attributes: { mode: text(kind), coordinate_transformation_mode: text(mode) },
      }),
    ]),
  ),
  operatorCase('Resize', {
    constants: { scales: singles(1, 1, 2, 2.5) },
    names: ['x', '', 'scales'],
    attributes: { mode: text('linear') },
  }),
  ...['round_prefer_floor', 'floor', 'ceil', 'round_prefer_ceil'].map((nearest) =>
    operatorCase('Resize', {
      constants: { scales: singles(1, 1, 2, 0.6) },
      names: ['x', '', 'scales'],
      attributes: { coordinate_transformation_mode: text('asymmetric'), nearest_mode: text(nearest) },
    }),
  ),

  recurrent('LSTM', 4, {}),
  recurrent('LSTM', 4, { direction: text('bidirectional') }),
  recurrent(
    'LSTM',
    4,
    { direction: text('reverse') },
    {
      more: { h: [1, 2, 4], c: [1, 2, 4] },
      names: ['x', 'w', 'r', 'b', '', 'h', 'c'],
    },
  ),
  recurrent('GRU', 3, { linear_before_reset: int(1) }),
  recurrent('GRU', 3, { direction: text('bidirectional') }),
  recurrent('RNN', 1, {}),
  recurrent('RNN', 1, { activations: texts('Relu'), direction: text('reverse') }),
  operatorCase('Attention', { x: [2, 3, 4, 8], more: { k: [2, 3, 5, 8], v: [2, 3, 5, 6] }, opset: 23 }),
  operatorCase('Attention', {
    x: [2, 4, 16],
    more: { k: [2, 4, 8], v: [2, 4, 8] },
    attributes: { q_num_heads: int(4), kv_num_heads: int(2), is_causal: int(1) },
    opset: 23,
  }),
  operatorCase('Attention', {
    x: [1, 2, 3, 4],
    more: { k: [1, 2, 3, 4], v: [1, 2, 3, 4], mask: bits([3, 3], [1, 0, 0, 1, 1, 0, 1, 1, 1]) },
    opset: 23,
  }),
]
