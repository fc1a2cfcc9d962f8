import { InferenceSession, Tensor } from 'onnxruntime-node'
import { graphToOnnx, type Graph } from '../../src/architecture/index.ts'
import { typedArrayOf, type DType } from '../../src/tensor/index.ts'

/** A tensor as the Python programs of this folder print it. */
export interface PackedTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  /** base64, little-endian. */
  readonly data: string
}

/** The bytes of a packed tensor. */
export const packedBytes = ({ data }: PackedTensor): Uint8Array => Uint8Array.from(Buffer.from(data, 'base64'))

/** The numbers of a packed tensor. */
export const packedNumbers = (tensor: PackedTensor): number[] =>
  Array.from(typedArrayOf(tensor.dtype, packedBytes(tensor)) as ArrayLike<number | bigint>, Number)

/** What ONNX Runtime gives: the first output, and all of them by name. */
export interface RunResult {
  readonly shape: readonly number[]
  readonly numbers: readonly number[]
  readonly all: Readonly<Record<string, Tensor>>
}

/** What ONNX Runtime computes with the graph and a state_dict. */
export async function runGraph(
  graph: Graph,
  state: Readonly<Record<string, PackedTensor>>,
  input: PackedTensor,
): Promise<RunResult> {
  const weights = graph.parameters
    .filter(({ optional }) => !optional)
    .map(({ name }) => [name, { kind: 'bytes', bytes: packedBytes(state[name]!) }] as const)
  const session = await InferenceSession.create(graphToOnnx(graph, new Map(weights)), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  })
  try {
    const data = typedArrayOf(input.dtype, packedBytes(input)) as Float32Array | BigInt64Array
    const feeds = { [graph.inputs[0]!.name]: new Tensor(input.dtype as 'float32', data as Float32Array, input.shape) }
    const all = await session.run(feeds)
    const output = all[session.outputNames[0]!]!
    return { shape: output.dims, numbers: Array.from(output.data as ArrayLike<number | bigint>, Number), all }
  } finally {
    await session.release()
  }
}

/** The largest difference between two lists, relative to the larger of 1 and the expected number. */
export function largestDifference(found: readonly number[], expected: readonly number[]): number {
  if (found.length !== expected.length) return Infinity
  return found.reduce((most, number, i) => {
    const scale = Math.max(1, Math.abs(expected[i]!))
    const difference = number === expected[i] ? 0 : Math.abs(number - expected[i]!) / scale
    return Number.isNaN(difference) ? Infinity : Math.max(most, difference)
  }, 0)
}
