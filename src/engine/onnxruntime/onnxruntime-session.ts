import { Tensor as OnnxTensor, type InferenceSession } from 'onnxruntime-node'
import type { Graph } from '../../architecture/index.ts'
import { AppError } from '../../error.ts'
import { isDType, type Tensor, type TensorMap } from '../../tensor/index.ts'
import type { Session } from '../engine.ts'
import { engineError } from './engine-error.ts'

/** A loaded session behind the engine contract. */
export function onnxruntimeSession(graph: Graph, session: InferenceSession): Session {
  let released = false
  return {
    lanes: 1,
    async run(inputs) {
      if (released) throw new AppError('ENGINE_FAILED', 'onnxruntime: the session is released')
      try {
        const results = await session.run(feeds(inputs))
        return { outputs: new Map(graph.outputs.map(({ name }) => [name, fromOnnx(results[name]!)])), inputs }
      } catch (error) {
        throw engineError('running a batch', error)
      }
    },
    async [Symbol.asyncDispose]() {
      if (released) return
      released = true
      await session.release()
    },
  }
}

const feeds = (inputs: TensorMap): Record<string, OnnxTensor> =>
  Object.fromEntries([...inputs].map(([name, tensor]) => [name, toOnnx(tensor)]))

/** Without a copy. Throws for a dtype that ONNX Runtime has no tensor of. */
const toOnnx = ({ dtype, data, shape }: Tensor): OnnxTensor =>
  new OnnxTensor(dtype as 'float32', data as Float32Array, shape)

function fromOnnx({ type, data, dims }: OnnxTensor): Tensor {
  if (!isDType(type) || !ArrayBuffer.isView(data))
    throw new AppError(
      'ENGINE_FAILED',
      `onnxruntime: an output of type ${type} cannot be read; make the graph's outputs float32`,
    )
  // Node 24 has an array type of its own for float16; here it travels as its bits.
  const bits = type === 'float16' ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data
  return { dtype: type, shape: dims, data: bits }
}
