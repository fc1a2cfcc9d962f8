import type { DType } from '../../../tensor/index.ts'
import { tfDType } from '../element-type.ts'
import { unary } from './elementwise.ts'
import type { Operator } from './operator.ts'

const KNOWN = new Set<DType>(['float32', 'int64', 'int32', 'bool'])

const cast = (name: string): Operator =>
  unary(name, (tf, site) => {
    const [from, to] = [site.dtype(0), site.outputDType()]
    if (!KNOWN.has(to) && to !== from) return site.refuse(`it converts to ${to}`)
    const dtype = tfDType(to)!
    if (tfDType(from) === dtype) return (x) => x
    return dtype === 'bool' ? (x) => tf.notEqual(x, tf.scalar(0, x.dtype as 'float32')) : (x) => tf.cast(x, dtype)
  })

/** Changes of dtype. The second input of CastLike says no more than its dtype. */
export const CASTS: readonly Operator[] = [cast('Cast'), cast('CastLike')]
