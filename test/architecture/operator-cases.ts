import { constant, input, int, ints, longs, rising, text, type NodeCase } from './one-node.ts'

const FUNCTIONS =
  'Abs Neg Sign Ceil Floor Round Sqrt Exp Log Reciprocal Erf Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Tanh Sigmoid Relu Softplus Softsign LeakyRelu Elu Celu ThresholdedRelu Selu HardSigmoid HardSwish Mish Gelu Softmax LogSoftmax Hardmax Identity Dropout IsNaN IsInf'
const BINARY = 'Add Sub Mul Div Mod Pow Min Max Sum Mean Equal Greater GreaterOrEqual Less LessOrEqual'
const REDUCTIONS =
  'ReduceSum ReduceProd ReduceMax ReduceMin ReduceMean ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare'

const one = (names: string, make: (op: string) => Omit<NodeCase, 'op'>): NodeCase[] =>
  names.split(' ').map((op) => ({ op, ...make(op) }))

const image = input([4, 7, 9])
const kernel = rising(6, 2, 3, 2)

/** At least one case for each operator of the table, with the arguments that change its shape. */
export const OPERATOR_CASES: readonly NodeCase[] = [
  ...one(FUNCTIONS, () => ({ inputs: [input([3, 4])] })),
  ...one(BINARY, (op) => ({
    inputs: [input([3, 1]), rising(5)],
    ...(op === 'Mod' ? { attributes: { fmod: int(1) } } : {}),
  })),
  ...one('And Or Xor', () => ({ inputs: [input([3, 1], 'bool'), constant('bool', [1, 4], 1)] })),
  { op: 'Not', inputs: [input([3], 'bool')] },
  { op: 'Max', inputs: [input([3]), rising(1, 3), rising(2, 1, 3)] },
  { op: 'Where', inputs: [input([3, 1], 'bool'), rising(4), input([1, 4])] },
  { op: 'PRelu', inputs: [input([3, 4]), rising(3, 1)] },
  { op: 'Clip', inputs: [input([3]), null, constant('float32', [], 2)] },
  { op: 'Cast', inputs: [input([3])], attributes: { to: int(7) } },
  { op: 'CastLike', inputs: [input([3]), longs(1)] },

  { op: 'Conv', inputs: [image, kernel], attributes: { group: int(2), pads: ints(1, 0, 2, 1), strides: ints(2, 1) } },
  { op: 'Conv', inputs: [image, kernel, rising(6)], attributes: { group: int(2), dilations: ints(2, 3) } },
  {
    op: 'Conv',
    inputs: [image, kernel],
    attributes: { group: int(2), auto_pad: text('SAME_UPPER'), strides: ints(2, 3) },
  },
  { op: 'Conv', inputs: [image, kernel], attributes: { group: int(2), auto_pad: text('VALID') } },
  { op: 'Conv', inputs: [input([2, 8]), rising(3, 2, 3)], attributes: { kernel_shape: ints(3) } },
  {
    op: 'ConvTranspose',
    inputs: [image, rising(4, 3, 2, 2)],
    attributes: { strides: ints(2, 3), output_padding: ints(1, 2) },
  },
  {
    op: 'ConvTranspose',
    inputs: [image, rising(4, 3, 3, 2)],
    attributes: { group: int(2), pads: ints(1, 0, 1, 1), dilations: ints(2, 1) },
  },
  {
    op: 'MaxPool',
    inputs: [image],
    attributes: { kernel_shape: ints(2, 3), strides: ints(2, 2), pads: ints(0, 1, 1, 1) },
  },
  {
    op: 'MaxPool',
    inputs: [image],
    attributes: { kernel_shape: ints(2, 2), strides: ints(3, 3), ceil_mode: int(1) },
    outputs: 2,
  },
  {
    op: 'MaxPool',
    inputs: [image],
    attributes: { kernel_shape: ints(3, 3), strides: ints(2, 2), auto_pad: text('SAME_LOWER') },
  },
  {
    op: 'AveragePool',
    inputs: [image],
    attributes: { kernel_shape: ints(3, 2), strides: ints(2, 2), count_include_pad: int(1), ceil_mode: int(1) },
  },
  { op: 'LpPool', inputs: [image], attributes: { kernel_shape: ints(2, 2), p: int(2) } },
  ...one('GlobalAveragePool GlobalMaxPool GlobalLpPool', () => ({ inputs: [image] })),

  { op: 'BatchNormalization', inputs: [image, rising(4), rising(4), rising(4), rising(4)] },
  { op: 'InstanceNormalization', inputs: [image, rising(4), rising(4)] },
  { op: 'GroupNormalization', inputs: [image, rising(4), rising(4)], attributes: { num_groups: int(2) }, opset: 21 },
  { op: 'LayerNormalization', inputs: [image, rising(9), rising(9)], outputs: 3 },
  { op: 'LayerNormalization', inputs: [image, rising(7, 9)], attributes: { axis: int(2) } },
  { op: 'RMSNormalization', inputs: [image, rising(9)], opset: 23 },
  { op: 'LpNormalization', inputs: [image], attributes: { axis: int(1) } },
  { op: 'LRN', inputs: [image], attributes: { size: int(3) } },
  { op: 'MeanVarianceNormalization', inputs: [image], attributes: { axes: ints(2, 3) } },

  { op: 'MatMul', inputs: [input([3, 4]), rising(4, 5)] },
  { op: 'MatMul', inputs: [input([2, 3, 4]), rising(2, 4, 5)] },
  { op: 'MatMul', inputs: [input([3, 4]), rising(4)] },
  { op: 'Gemm', inputs: [input([4]), rising(5, 4), rising(5)], attributes: { transB: int(1) } },
  { op: 'Gemm', inputs: [input([4]), rising(4, 5)] },
  { op: 'Einsum', inputs: [input([3, 4]), rising(5, 4)], attributes: { equation: text('bij, kj -> bik') } },
  { op: 'Einsum', inputs: [input([3, 4]), rising(4, 5)], attributes: { equation: text('...ij,jk->...ik') } },

  ...one(REDUCTIONS, () => ({ inputs: [input([3, 4]), longs(-1)], attributes: { keepdims: int(0) } })),
  { op: 'ReduceMean', inputs: [input([3, 4]), longs(1, 2)] },
  { op: 'ReduceMean', inputs: [input([3, 4])], attributes: { axes: ints(2) }, opset: 13 },
  { op: 'ReduceSum', inputs: [input([3, 4])], attributes: { noop_with_empty_axes: int(1) } },
  { op: 'ArgMax', inputs: [input([3, 4])], attributes: { axis: int(1) } },
  { op: 'ArgMin', inputs: [input([3, 4])], attributes: { axis: int(-1), keepdims: int(0) } },
  { op: 'TopK', inputs: [input([3, 4]), longs(2)], outputs: 2 },
  { op: 'CumSum', inputs: [input([3, 4]), constant('int64', [], 1)] },

  { op: 'Reshape', inputs: [input([3, 4]), longs(0, 2, -1)] },
  { op: 'Reshape', inputs: [input([3, 4]), longs(-1, 6, 2)] },
  { op: 'Flatten', inputs: [image], attributes: { axis: int(1) } },
  { op: 'Flatten', inputs: [image], attributes: { axis: int(-2) } },
  { op: 'Squeeze', inputs: [input([1, 4, 1]), longs(1, -1)] },
  { op: 'Squeeze', inputs: [input([1, 4, 1])] },
  { op: 'Unsqueeze', inputs: [input([4]), longs(1, -1)] },
  { op: 'Transpose', inputs: [image], attributes: { perm: ints(0, 2, 3, 1) } },
  { op: 'Transpose', inputs: [input([3])] },
  { op: 'Expand', inputs: [input([1, 4]), longs(3, 1)] },
  { op: 'Expand', inputs: [input([4]), longs(2, 1, 4)] },
  { op: 'Tile', inputs: [input([3, 4]), longs(1, 2, 3)] },

  { op: 'Concat', inputs: [input([3, 4]), input([2, 4])], attributes: { axis: int(1) } },
  { op: 'Concat', inputs: [input([3, 4]), input([3, 2])], attributes: { axis: int(-1) } },
  { op: 'Split', inputs: [input([7, 2]), longs(3, 4)], attributes: { axis: int(1) }, outputs: 2 },
  { op: 'Split', inputs: [input([7, 2])], attributes: { axis: int(1), num_outputs: int(3) }, outputs: 3 },
  { op: 'Slice', inputs: [input([7, 9]), longs(1, -2), longs(100, -100), longs(1, 2), longs(2, -3)] },
  { op: 'Slice', inputs: [input([7, 5]), longs(2, 0), longs(Infinity, -1), longs(1, 2)] },
  { op: 'Gather', inputs: [input([7, 2]), constant('int64', [], -1)], attributes: { axis: int(1) } },
  { op: 'Gather', inputs: [input([7, 2]), constant('int32', [2, 2], [0, 1, 5, -2])], attributes: { axis: int(1) } },
  { op: 'Gather', inputs: [rising(6, 5), input([3], 'int64')] },
  { op: 'GatherElements', inputs: [input([3]), input([2], 'int64')], attributes: { axis: int(1) } },
  { op: 'GatherND', inputs: [input([4, 3]), input([2, 1], 'int64')], attributes: { batch_dims: int(1) } },
  { op: 'ScatterElements', inputs: [input([3]), input([2], 'int64'), input([2])], attributes: { axis: int(1) } },
  { op: 'ScatterND', inputs: [input([3]), constant('int64', [1, 2], [0, 1]), rising(1)] },
  { op: 'Pad', inputs: [input([3, 4]), longs(0, 1, 2, 0, 3, 0)] },
  { op: 'Pad', inputs: [input([3, 4]), longs(1, 2), null, longs(-1)], attributes: { mode: text('reflect') } },
  { op: 'Trilu', inputs: [input([4, 4])], attributes: { upper: int(0) } },
  { op: 'DepthToSpace', inputs: [input([8, 2, 3])], attributes: { blocksize: int(2) } },
  { op: 'SpaceToDepth', inputs: [input([2, 4, 6])], attributes: { blocksize: int(2) } },
  { op: 'OneHot', inputs: [input([2], 'int64'), longs(4), rising(2)], attributes: { axis: int(1) } },

  { op: 'Shape', inputs: [image], attributes: { start: int(1), end: int(-1) } },
  { op: 'Size', inputs: [image] },
  { op: 'ConstantOfShape', inputs: [longs(2, 3)] },
  {
    op: 'Range',
    inputs: [constant('float32', [], 1), constant('float32', [], 2), constant('float32', [], Math.fround(0.3))],
  },

  { op: 'Resize', inputs: [image, null, constant('float32', [4], [1, 1, 1.5, 2])] },
  { op: 'Resize', inputs: [image, null, null, longs(5, 4)], attributes: { axes: ints(2, 3), mode: text('linear') } },

  {
    op: 'LSTM',
    inputs: [input([3, 4]), rising(1, 20, 4), rising(1, 20, 5)],
    attributes: { hidden_size: int(5) },
    outputs: 3,
  },
  {
    op: 'LSTM',
    inputs: [input([3, 4]), rising(2, 20, 4), rising(2, 20, 5)],
    attributes: { hidden_size: int(5), direction: text('bidirectional') },
    outputs: 1,
  },
  {
    op: 'GRU',
    inputs: [input([3, 4]), rising(1, 15, 4), rising(1, 15, 5)],
    attributes: { hidden_size: int(5) },
    outputs: 2,
  },
  {
    op: 'RNN',
    inputs: [input([3, 4]), rising(1, 5, 4), rising(1, 5, 5)],
    attributes: { hidden_size: int(5) },
    outputs: 2,
  },
  { op: 'Attention', inputs: [input([2, 3, 4]), input([2, 5, 4]), input([2, 5, 6])], opset: 23 },
  {
    op: 'Attention',
    inputs: [input([3, 8]), input([5, 4]), input([5, 6])],
    attributes: { q_num_heads: int(4), kv_num_heads: int(2) },
    opset: 23,
  },
]

const longMatrix = constant('int64', [2, 3], [5, -3, 0, 7, 2, -1])
const floatMatrix = constant('float32', [2, 3], [0.5, -3.25, 0.1, 7, 2, -1])

/** Cases whose inputs are all constants, so that their elements are computed while shapes are inferred. */
export const FOLDED_CASES: readonly NodeCase[] = [
  ...one('Add Sub Mul Div Max Min Mod', () => ({ inputs: [longMatrix, longs(4, -3, 2)] })),
  ...one('Add Sub Mul Div Max Min', () => ({ inputs: [floatMatrix, constant('float32', [], Math.fround(0.3))] })),
  { op: 'Mod', inputs: [floatMatrix, rising(3)], attributes: { fmod: int(1) } },
  { op: 'Pow', inputs: [floatMatrix, longs(2, 3, 1)] },
  ...one('Abs Neg Sign Ceil Floor Exp Identity', () => ({ inputs: [floatMatrix] })),
  ...one('Sqrt Log Reciprocal', () => ({ inputs: [rising(3, 2)] })),
  ...one('Equal Greater GreaterOrEqual Less LessOrEqual', () => ({ inputs: [longMatrix, longs(5, -3, 1)] })),
  ...one('And Or Xor', () => ({ inputs: [constant('bool', [2, 2], [0, 0, 1, 1]), constant('bool', [2], [0, 1])] })),
  { op: 'Not', inputs: [constant('bool', [2], [0, 1])] },
  { op: 'Where', inputs: [constant('bool', [2, 1], [0, 1]), longs(1, 2, 3), longMatrix] },
  { op: 'Cast', inputs: [floatMatrix], attributes: { to: int(7) } },
  { op: 'Cast', inputs: [floatMatrix], attributes: { to: int(9) } },
  { op: 'Cast', inputs: [longMatrix], attributes: { to: int(1) } },
  { op: 'CastLike', inputs: [longMatrix, rising(1)] },
  ...one('ReduceSum ReduceProd ReduceMax ReduceMin', () => ({ inputs: [longMatrix] })),
  { op: 'ReduceProd', inputs: [longMatrix, longs(0, 1)], attributes: { keepdims: int(0) } },
  { op: 'Reshape', inputs: [longMatrix, longs(3, -1)] },
  { op: 'Flatten', inputs: [longMatrix], attributes: { axis: int(0) } },
  { op: 'Squeeze', inputs: [constant('int64', [1, 2, 1], [3, 4]), longs(0)] },
  { op: 'Unsqueeze', inputs: [longMatrix, longs(1)] },
  { op: 'Transpose', inputs: [longMatrix] },
  { op: 'Transpose', inputs: [constant('int64', [2, 1, 3], [1, 2, 3, 4, 5, 6])], attributes: { perm: ints(2, 0, 1) } },
  { op: 'Expand', inputs: [constant('int64', [2, 1], [3, 4]), longs(2, 2, 3)] },
  { op: 'Tile', inputs: [longMatrix, longs(2, 2)] },
  { op: 'Concat', inputs: [longMatrix, longMatrix, longMatrix], attributes: { axis: int(1) } },
  { op: 'Concat', inputs: [longs(1), longs(2, 3), longs()], attributes: { axis: int(0) } },
  { op: 'Split', inputs: [longMatrix, longs(1, 2)], attributes: { axis: int(1) }, outputs: 2 },
  { op: 'Slice', inputs: [longMatrix, longs(-1, 0), longs(-100, 2), longs(1, 0), longs(-2, 1)] },
  { op: 'Slice', inputs: [longMatrix, longs(1), longs(Infinity), longs(1)] },
  { op: 'Gather', inputs: [longMatrix, constant('int64', [2, 2], [0, 2, -1, 1])], attributes: { axis: int(1) } },
  { op: 'Gather', inputs: [longs(4, 5, 6), constant('int64', [], 1)] },
  { op: 'Trilu', inputs: [longMatrix, constant('int64', [], 1)] },
  { op: 'Trilu', inputs: [longMatrix], attributes: { upper: int(0) } },
  { op: 'Shape', inputs: [longMatrix] },
  { op: 'Size', inputs: [longMatrix] },
  {
    op: 'ConstantOfShape',
    inputs: [longs(2, 2)],
    attributes: {
      value: {
        kind: 'tensor',
        value: { name: '', dtype: 'int64', shape: [1], bytes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) },
      },
    },
  },
  { op: 'Range', inputs: [constant('int64', [], 7), constant('int64', [], 0), constant('int64', [], -2)] },
]
