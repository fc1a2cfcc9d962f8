import type { Tf, TfTensor } from '../library.ts'
import { elementwise, unary } from './elementwise.ts'
import type { Operator } from './operator.ts'

const compared = (name: string, of: (tf: Tf, a: TfTensor, b: TfTensor) => TfTensor): Operator =>
  elementwise(name, (tf) => (a, b) => of(tf, a, b))

const isInf = unary('IsInf', (tf, site) => {
  const negative = site.int('detect_negative') !== 0
  const positive = site.int('detect_positive') !== 0
  return (x) => {
    if (positive && negative) return tf.isInf(x)
    if (!positive && !negative) return tf.zerosLike(tf.isInf(x))
    return tf.equal(x, tf.scalar(positive ? Infinity : -Infinity))
  }
})

/** Comparisons, logic and choice. */
export const COMPARISON: readonly Operator[] = [
  compared('Equal', (tf, a, b) => tf.equal(number(tf, a), number(tf, b))),
  compared('Greater', (tf, a, b) => tf.greater(a, b)),
  compared('GreaterOrEqual', (tf, a, b) => tf.greaterEqual(a, b)),
  compared('Less', (tf, a, b) => tf.less(a, b)),
  compared('LessOrEqual', (tf, a, b) => tf.lessEqual(a, b)),
  compared('And', (tf, a, b) => tf.logicalAnd(a, b)),
  compared('Or', (tf, a, b) => tf.logicalOr(a, b)),
  compared('Xor', (tf, a, b) => tf.notEqual(number(tf, a), number(tf, b))),
  unary('Not', (tf) => (x) => tf.logicalNot(x)),
  unary('IsNaN', (tf) => (x) => tf.isNaN(x)),
  isInf,
  elementwise('Where', (tf) => (condition, yes, no) => tf.where(condition, yes, no)),
]

/** Backends compare numbers only. */
const number = (tf: Tf, x: TfTensor): TfTensor => (x.dtype === 'bool' ? tf.cast(x, 'int32') : x)
