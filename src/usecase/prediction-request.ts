import type { Wish } from '../engine/index.ts'
import { invariant, type ErrorCode } from '../error.ts'
import { packArrays, itemSize, numel, typedArrayOf, type DType, type Tensor, type TensorMap } from '../tensor/index.ts'
import type { ModelChoice } from './load-model-plan.ts'

/** What a worker is asked, besides the values of the tensors. JSON; both sides are of this version, or of one that understands it. */
export interface PredictionRequest extends ModelChoice {
  /** Where and how it is executed. */
  readonly wish: Wish
  /** Name of the graph output that holds the logits. */
  readonly output: string
  /** The inputs of the graph; the first dimension is the samples'. */
  readonly tensors: readonly { readonly name: string; readonly dtype: DType; readonly shape: readonly number[] }[]
}

/** What a worker says about the logits that it sends, or why it sends none. JSON. */
export type PredictionReply =
  | {
      readonly kind: 'LOGITS'
      readonly device: string
      readonly engine: string
      readonly engineVersion: string
      /** Why this device and this engine. */
      readonly choice: string
      /** Whether the session was loaded before. */
      readonly warm: boolean
      /** Milliseconds from taking the question to having the answer. */
      readonly workerMs: number
      /** Milliseconds of it in the engine: the whole way to its thread and back. */
      readonly engineMs: number
    }
  | { readonly kind: 'ERROR'; readonly code: ErrorCode; readonly message: string }

/** The values of tensors, one after the other. */
export function packTensors(tensors: TensorMap): Uint8Array {
  const arrays = [...tensors.values()].map(({ data }) => data)
  const [only] = arrays
  if (only !== undefined && arrays.length === 1) return new Uint8Array(only.buffer, only.byteOffset, only.byteLength)
  return packArrays(arrays)
}

/** The tensors again, each in memory of its own. */
export function unpackTensors({ tensors }: Pick<PredictionRequest, 'tensors'>, packed: Uint8Array): TensorMap {
  let at = 0
  const unpacked = new Map<string, Tensor>()
  for (const { name, dtype, shape } of tensors) {
    const length = numel(shape) * itemSize(dtype)
    invariant(at + length <= packed.byteLength, `the inputs of a prediction end after ${packed.byteLength} bytes`)
    const own = new Uint8Array(length)
    own.set(packed.subarray(at, at + length))
    unpacked.set(name, { dtype, shape, data: typedArrayOf(dtype, own) })
    at += length
  }
  return unpacked
}
