import type { Tf, TfTensor } from '../library.ts'
import { raised } from '../site.ts'
import { activate } from './activate.ts'
import { normFactor } from './convolution.ts'
import type { Compiled, Operator } from './operator.ts'

type Matrix = Parameters<Tf['matMul']>[0]

const gemm: Operator = {
  name: 'Gemm',
  compile(site): Compiled {
    const { tf } = site
    const [alpha, beta] = [site.float('alpha', 1), site.float('beta', 1)]
    const [transposeA, transposeB] = [site.int('transA') === 1, site.int('transB') === 1]
    const { norm, activation } = site.epilogue
    if (!site.isBound(1)) {
      const operands = [site.take(0), site.take(1), ...(site.has(2) ? [site.take(2)] : [])]
      return {
        operands,
        compute(a, b, bias?: TfTensor) {
          const product = tf.mul(tf.matMul(a as Matrix, b as Matrix, transposeA, transposeB), alpha)
          return activate(tf, bias ? tf.add(product, tf.mul(bias, beta)) : product, activation)
        },
      }
    }
    // Lies as it is multiplied: the backends that are not native get a transposed operand with a bias wrong.
    const weight = site.bind('weight', (value) => {
      const plain = transposeB ? tf.transpose(value(1)) : value(1)
      const scaled = alpha === 1 ? plain : tf.mul(plain, alpha)
      return norm ? tf.mul(scaled, tf.expandDims(normFactor(tf, norm, value), 0)) : scaled
    })
    const foldsBias = site.has(2) && site.isBound(2)
    const bias =
      foldsBias || norm
        ? site.bind('bias', (value) => {
            const own = foldsBias ? tf.mul(value(2), beta) : tf.scalar(0)
            if (!norm) return own
            return tf.add(tf.mul(tf.sub(own, value(norm.mean)), normFactor(tf, norm, value)), value(norm.shift))
          })
        : site.has(2)
          ? site.take(2)
          : undefined
    return {
      operands: [site.take(0), weight, ...(bias ? [bias] : [])],
      compute(x, by, shift?: TfTensor) {
        const product = tf.matMul(x, by, transposeA)
        const shifted = shift ? tf.add(product, foldsBias || norm ? shift : tf.mul(shift, beta)) : product
        return activate(tf, shifted, activation)
      },
    }
  },
}

const matMul: Operator = {
  name: 'MatMul',
  compile(site): Compiled {
    const { tf } = site
    const [a, b] = [site.shape(0), site.shape(1)]
    const output = [...site.outputShape()]
    const { activation } = site.epilogue
    const biasName = site.epilogue.bias
    const bias = biasName === undefined ? [] : [site.bind('bias', (value) => value(biasName))]
    // Many rows by one matrix are one product.
    const flat = b.length === 2 && a.length !== 2 && a.length > 1
    // The backends of the processor that are not native stretch leading dimensions wrongly: stacks of matrices are stretched for them.
    const spread = a.length > 2 && b.length > 2 && ['cpu', 'wasm'].includes(tf.getBackend())
    return {
      operands: [site.take(0), site.take(1), ...bias],
      compute(x, y, shift?: TfTensor) {
        const left = flat ? tf.reshape(x, [-1, a.at(-1)!]) : a.length === 1 ? tf.expandDims(x, 0) : x
        const right = b.length === 1 ? tf.expandDims(y, 1) : y
        const [first, second] = spread ? stretched(tf, left, right) : [left, right]
        const product: TfTensor = tf.matMul(first, second)
        const done = activate(tf, shift ? tf.add(product, shift) : product, activation)
        return flat || a.length === 1 || b.length === 1 ? tf.reshape(done, output) : done
      },
    }
  },
}

/** Both with the same leading dimensions. */
function stretched(tf: Tf, left: TfTensor, right: TfTensor): [TfTensor, TfTensor] {
  const leading = tf.broadcast_util.assertAndGetBroadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2))
  const stretch = (x: TfTensor): TfTensor =>
    tf.broadcastTo(raised(tf, x, leading.length + 2), [...leading, ...x.shape.slice(-2)])
  return [stretch(left), stretch(right)]
}

const einsum: Operator = {
  name: 'Einsum',
  compile(site): Compiled {
    const { tf } = site
    const equation = (site.text('equation') ?? '').replaceAll(' ', '')
    if (equation.includes('...')) return site.refuse(`equation ${equation}: "..." is not known to TensorFlow.js`)
    if (!equation.includes('->')) return site.refuse(`equation ${equation}: the result has to be named`)
    return {
      operands: Array.from({ length: site.inputCount }, (_, input) => site.take(input)),
      compute: (...inputs) => tf.einsum(equation, ...inputs),
    }
  },
}

/** Products of matrices. */
export const MATRIX: readonly Operator[] = [matMul, gemm, einsum]
