import type { Tf, TfTensor } from '../library.ts'
import { elementwise, isWhole } from './elementwise.ts'
import type { Operator } from './operator.ts'

type Pair = (a: TfTensor, b: TfTensor) => TfTensor

const pair = (name: string, of: (tf: Tf) => Pair): Operator =>
  elementwise(name, (tf) => {
    const apply = of(tf)
    return (a, b) => apply(a, b)
  })

const many = (name: string, of: (tf: Tf) => Pair): Operator =>
  elementwise(name, (tf) => {
    const apply = of(tf)
    return (...inputs) => inputs.reduce(apply)
  })

/** Whole numbers divide towards zero. */
const divide = (tf: Tf): Pair => {
  const whole: Pair = (a, b) => tf.mul(tf.mul(tf.sign(a), tf.sign(b)), tf.floorDiv(tf.abs(a), tf.abs(b)))
  return (a, b) => (a.dtype === 'int32' ? whole(a, b) : tf.div(a, b))
}

const modulo = elementwise('Mod', (tf, site) => {
  const towardsZero = site.int('fmod') === 1
  if (!towardsZero && !isWhole(site)) return site.refuse('fmod has to be 1 for fractions')
  return (a, b) => {
    if (!towardsZero) return tf.mod(a, b)
    const rest = tf.mod(tf.abs(a), tf.abs(b))
    return tf.mul(tf.sign(a), rest)
  }
})

// The exponent may have another dtype; the result has that of the base.
const power = elementwise('Pow', (tf, site) => {
  const exponent = site.elements(1)
  if (exponent?.length === 1 && exponent[0] === 2) return (base) => tf.square(base)
  if (exponent?.length === 1 && exponent[0] === 0.5) return (base) => tf.sqrt(base)
  return (base, by) => tf.cast(tf.pow(base, tf.cast(by, base.dtype)), base.dtype)
})

const mean = elementwise(
  'Mean',
  (tf) =>
    (...inputs) =>
      tf.div(
        inputs.reduce((a, b) => tf.add(a, b)),
        inputs.length,
      ),
)

/** Arithmetic on two or more tensors, with broadcasting. */
export const ARITHMETIC: readonly Operator[] = [
  pair('Add', (tf) => (a, b) => tf.add(a, b)),
  pair('Sub', (tf) => (a, b) => tf.sub(a, b)),
  pair('Mul', (tf) => (a, b) => tf.mul(a, b)),
  pair('Div', divide),
  modulo,
  power,
  many('Min', (tf) => (a, b) => tf.minimum(a, b)),
  many('Max', (tf) => (a, b) => tf.maximum(a, b)),
  many('Sum', (tf) => (a, b) => tf.add(a, b)),
  mean,
]
