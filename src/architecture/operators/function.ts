import { axisOf } from './axes.ts'
import { isFollowed, rounded } from './elements.ts'
import type { NodeContext, Operator, Value } from './operator.ts'
import { keepSamplesApart } from './samples-apart.ts'

/** The shape stays; elements are computed where a function of a number is given. */
function mapped(node: NodeContext, compute?: (x: number) => number): readonly Value[] {
  const { dtype, shape, elements } = node.input(0)
  if (!compute || !elements || !isFollowed(dtype)) return [{ dtype, shape }]
  return [{ dtype, shape, elements: elements.map((x) => (typeof x === 'number' ? rounded(dtype, compute(x)) : null)) }]
}

const unary = (name: string, compute?: (x: number) => number, more: Partial<Operator> = {}): Operator => ({
  name,
  inputs: [1, 1],
  outputs: [1, 1],
  infer: (node) => mapped(node, compute),
  ...more,
})

const alpha = { alpha: 'float' } as const

const prelu: Operator = {
  name: 'PRelu',
  inputs: [2, 2],
  outputs: [1, 1],
  infer: (node) => [{ dtype: node.input(0).dtype, shape: node.input(0).shape }],
}

const clip: Operator = {
  name: 'Clip',
  inputs: [1, 3],
  outputs: [1, 1],
  infer: (node) => {
    const { dtype, shape } = node.input(0)
    for (const bound of node.inputs.slice(1))
      if (bound && bound.shape.length > 0) node.fail('its bounds have to be single numbers')
    return [{ dtype, shape }]
  },
}

const softmax = (name: string): Operator => ({
  name,
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { axis: 'int' },
  infer: (node) => {
    const { dtype, shape } = node.input(0)
    keepSamplesApart(node, [shape[axisOf(node, node.int('axis') ?? -1, shape.length)]!])
    return [{ dtype, shape }]
  },
})

/** Functions of one tensor that keep its shape. */
export const FUNCTIONS: readonly Operator[] = [
  unary('Abs', Math.abs),
  unary('Neg', (x) => -x),
  unary('Sign', Math.sign),
  unary('Ceil', Math.ceil),
  unary('Floor', Math.floor),
  unary('Round'),
  unary('Sqrt', Math.sqrt),
  unary('Exp', Math.exp),
  unary('Log', Math.log),
  unary('Reciprocal', (x) => 1 / x),
  ...['Erf', 'Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan', 'Sinh', 'Cosh', 'Asinh', 'Acosh', 'Atanh'].map((name) =>
    unary(name),
  ),
  ...['Tanh', 'Sigmoid', 'Relu', 'Softplus', 'Softsign'].map((name) => unary(name)),
  unary('LeakyRelu', undefined, { attributes: alpha }),
  unary('Elu', undefined, { attributes: alpha }),
  unary('Celu', undefined, { attributes: alpha }),
  unary('ThresholdedRelu', undefined, { attributes: alpha }),
  unary('Selu', undefined, { attributes: { alpha: 'float', gamma: 'float' } }),
  unary('HardSigmoid', undefined, { attributes: { alpha: 'float', beta: 'float' } }),
  unary('HardSwish', undefined, { since: 14 }),
  unary('Mish', undefined, { since: 18 }),
  unary('Gelu', undefined, { since: 20, attributes: { approximate: 'string' } }),
  prelu,
  clip,
  softmax('Softmax'),
  softmax('LogSoftmax'),
  softmax('Hardmax'),
]
