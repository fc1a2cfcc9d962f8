import type { Tf, TfTensor } from '../library.ts'
import { elementwise, isWhole, unary } from './elementwise.ts'
import type { Operator, Site } from './operator.ts'

type Apply = (x: TfTensor) => TfTensor

const plain = (name: string, of: (tf: Tf) => Apply): Operator => unary(name, of)

const gelu = unary('Gelu', (tf, site) =>
  site.text('approximate') === 'tanh'
    ? (x) => {
        const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI))
        return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1))
      }
    : (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
)

/** Bounds that are known are numbers; one that is not is compared with. */
const clip = elementwise('Clip', (tf, site) => {
  const [low, high] = [site.elements(1)?.[0], site.elements(2)?.[0]]
  const open = (input: number, bound: number | undefined): boolean => site.has(input) && bound === undefined
  if (open(1, low) || open(2, high) || isWhole(site)) {
    return (x, ...bounds) => {
      const [lowest, highest] = site.has(1) ? bounds : [undefined, bounds[0]]
      const raised = lowest ? tf.maximum(x, lowest) : x
      return highest ? tf.minimum(raised, highest) : raised
    }
  }
  if (low === 0 && high === undefined) return (x) => tf.relu(x)
  if (low === 0 && high === 6) return (x) => tf.relu6(x)
  return (x) => tf.clipByValue(x, low ?? -Infinity, high ?? Infinity)
})

const elu = (tf: Tf, site: Site): Apply => {
  const alpha = site.float('alpha', 1)
  return alpha === 1 ? (x) => tf.elu(x) : (x) => tf.add(tf.relu(x), tf.mul(tf.minimum(tf.expm1(x), 0), alpha))
}

/** max(0, x) + min(0, α·(exp(x/α) − 1)). Source: the ONNX specification of Celu. */
const celu = (tf: Tf, site: Site): Apply => {
  const alpha = site.float('alpha', 1)
  return (x) => tf.add(tf.relu(x), tf.minimum(tf.mul(tf.expm1(tf.div(x, alpha)), alpha), 0))
}

const selu = (tf: Tf, site: Site): Apply => {
  const alpha = site.float('alpha', 1.67326319217681884765625)
  const gamma = site.float('gamma', 1.05070102214813232421875)
  return (x) => tf.mul(tf.add(tf.relu(x), tf.mul(tf.minimum(tf.expm1(x), 0), alpha)), gamma)
}

const hardSigmoid = (tf: Tf, site: Site): Apply => {
  const [alpha, beta] = [site.float('alpha', 0.2), site.float('beta', 0.5)]
  return (x) => tf.clipByValue(tf.add(tf.mul(x, alpha), beta), 0, 1)
}

/** log(1 + exp(x)) without overflow. */
const softplus =
  (tf: Tf): Apply =>
  (x) =>
    tf.add(tf.relu(x), tf.log1p(tf.exp(tf.neg(tf.abs(x)))))

/** Functions of one tensor that keep its shape. */
export const FUNCTIONS: readonly Operator[] = [
  plain('Abs', (tf) => (x) => tf.abs(x)),
  plain('Neg', (tf) => (x) => tf.neg(x)),
  plain('Sign', (tf) => (x) => tf.sign(x)),
  plain('Ceil', (tf) => (x) => tf.ceil(x)),
  plain('Floor', (tf) => (x) => tf.floor(x)),
  plain('Round', (tf) => (x) => tf.round(x)),
  plain('Sqrt', (tf) => (x) => tf.sqrt(x)),
  plain('Exp', (tf) => (x) => tf.exp(x)),
  plain('Log', (tf) => (x) => tf.log(x)),
  plain('Reciprocal', (tf) => (x) => tf.reciprocal(x)),
  plain('Erf', (tf) => (x) => tf.erf(x)),
  plain('Sin', (tf) => (x) => tf.sin(x)),
  plain('Cos', (tf) => (x) => tf.cos(x)),
  plain('Tan', (tf) => (x) => tf.tan(x)),
  plain('Asin', (tf) => (x) => tf.asin(x)),
  plain('Acos', (tf) => (x) => tf.acos(x)),
  plain('Atan', (tf) => (x) => tf.atan(x)),
  plain('Sinh', (tf) => (x) => tf.sinh(x)),
  plain('Cosh', (tf) => (x) => tf.cosh(x)),
  plain('Asinh', (tf) => (x) => tf.asinh(x)),
  plain('Acosh', (tf) => (x) => tf.acosh(x)),
  plain('Atanh', (tf) => (x) => tf.atanh(x)),
  plain('Tanh', (tf) => (x) => tf.tanh(x)),
  plain('Sigmoid', (tf) => (x) => tf.sigmoid(x)),
  plain('Relu', (tf) => (x) => tf.relu(x)),
  plain('Softplus', softplus),
  plain('Softsign', (tf) => (x) => tf.div(x, tf.add(tf.abs(x), 1))),
  plain('HardSwish', (tf) => (x) => tf.mul(x, tf.div(tf.relu6(tf.add(x, 3)), 6))),
  plain('Mish', (tf) => (x) => tf.mul(x, tf.tanh(softplus(tf)(x)))),
  unary('LeakyRelu', (tf, site) => {
    const alpha = site.float('alpha', 0.01)
    return (x) => tf.leakyRelu(x, alpha)
  }),
  unary('ThresholdedRelu', (tf, site) => {
    const alpha = site.float('alpha', 1)
    return (x) => tf.mul(x, tf.cast(tf.greater(x, alpha), 'float32'))
  }),
  unary('Elu', elu),
  unary('Celu', celu),
  unary('Selu', selu),
  unary('HardSigmoid', hardSigmoid),
  gelu,
  elementwise('PRelu', (tf) => (x, slope) => tf.add(tf.relu(x), tf.mul(tf.minimum(x, 0), slope))),
  clip,
]
