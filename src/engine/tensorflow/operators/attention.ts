import type { TfTensor } from '../library.ts'
import type { Compiled, Operator } from './operator.ts'

/** Source: the ONNX specification of Attention (operator set 23), without cached keys. */
const attention: Operator = {
  name: 'Attention',
  compile(site): Compiled {
    const { tf } = site
    if (site.outputCount > 1) return site.refuse('its products of queries and keys are not given')
    const [q, k, v] = [site.shape(0), site.shape(1), site.shape(2)]
    const flat = q.length === 3
    const heads = flat ? site.int('q_num_heads')! : q[1]!
    const groups = flat ? site.int('kv_num_heads')! : k[1]!
    const width = flat ? q[2]! / heads : q[3]!
    const scale = site.float('scale', 1 / Math.sqrt(width))
    const softcap = site.float('softcap', 0)
    const [rows, columns] = [q.at(-2)!, k.at(-2)!]
    const causal = site.int('is_causal') === 1
    const mask = causal
      ? [
          site.bind(`causal ${rows}x${columns}`, () =>
            tf.tensor2d(
              Float32Array.from({ length: rows * columns }, (_, at) =>
                at % columns > Math.floor(at / columns) ? -Infinity : 0,
              ),
              [rows, columns],
            ),
          ),
        ]
      : []
    const split = (x: TfTensor, count: number): TfTensor =>
      flat ? tf.transpose(tf.reshape(x, [x.shape[0], x.shape[1]!, count, -1]), [0, 2, 1, 3]) : x
    /** A head of keys and values serves several of queries. */
    const shared = (x: TfTensor): TfTensor => {
      if (groups === heads) return x
      const [batch, , length, size] = x.shape as [number, number, number, number]
      const repeated = tf.tile(tf.expandDims(x, 2), [1, 1, heads / groups, 1, 1])
      return tf.reshape(repeated, [batch, heads, length, size])
    }
    return {
      operands: [site.take(0), site.take(1), site.take(2), ...mask, ...(site.has(3) ? [site.take(3)] : [])],
      compute(query, key, value, ...masks) {
        const queries = tf.mul(split(query, heads), scale)
        const keys = shared(split(key, groups))
        const values = shared(split(value, groups))
        let scores: TfTensor = tf.matMul(queries, keys, false, true)
        if (softcap > 0) scores = tf.mul(tf.tanh(tf.div(scores, softcap)), softcap)
        for (const each of masks)
          scores =
            each.dtype === 'bool' ? tf.where(each, scores, tf.fill(scores.shape, -Infinity)) : tf.add(scores, each)
        const mixed: TfTensor = tf.matMul(tf.softmax(scores), values)
        if (!flat) return mixed
        return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [q[0]!, rows, (v[2]! / groups) * heads])
      },
    }
  },
}

/** Attention. */
export const ATTENTION: readonly Operator[] = [attention]
