import { AppError } from '../error.ts'
import type { Tensor, TensorMap, TypedArray } from '../tensor/index.ts'
import { batchRows } from './batch-rows.ts'
import type { RunResult, Session } from './engine.ts'

/**
 * A session that executes a batch in halves, and those in halves again, where the device's memory does not hold it; and later ones in parts
 * of the size that it has come to. It has to be where the engine is: the inputs of a batch that failed are gone for everybody else.
 */
export function halvingSession(session: Session): Session {
  let most = Infinity

  async function run(inputs: TensorMap): Promise<RunResult> {
    const n = samplesOf(inputs)
    if (n > most) return await inParts(inputs, n)
    try {
      return await session.run(inputs)
    } catch (error) {
      if (n === 1 || !(error instanceof AppError && error.code === 'DEVICE_OUT_OF_MEMORY')) throw error
      most = Math.min(most, Math.ceil(n / 2))
      return await inParts(inputs, n)
    }
  }

  async function inParts(inputs: TensorMap, n: number): Promise<RunResult> {
    const parts: TensorMap[] = []
    // A part that does not fit either lowers `most` for those after it.
    for (let first = 0; first < n;) {
      const count = Math.min(most, n - first)
      parts.push((await run(batchRows(inputs, first, count))).outputs)
      first += count
    }
    return { outputs: joined(parts), inputs, split: most }
  }

  return {
    lanes: session.lanes,
    run,
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}

/** Samples of a batch: the first dimension of every input. A graph without inputs has nothing to split. */
const samplesOf = (inputs: TensorMap): number => [...inputs.values()][0]?.shape[0] ?? 1

function joined(parts: readonly TensorMap[]): TensorMap {
  const [head] = parts as [TensorMap, ...TensorMap[]]
  return new Map([...head.keys()].map((name) => [name, joinedTensor(parts.map((part) => part.get(name)!))]))
}

function joinedTensor(parts: readonly Tensor[]): Tensor {
  const [head] = parts as [Tensor, ...Tensor[]]
  const elements = parts.reduce((sum, { data }) => sum + data.length, 0)
  const data = new (head.data.constructor as new (length: number) => TypedArray)(elements)
  let at = 0
  for (const part of parts) {
    ;(data as Float32Array).set(part.data as Float32Array, at)
    at += part.data.length
  }
  const n = parts.reduce((sum, { shape }) => sum + shape[0]!, 0)
  return { dtype: head.dtype, shape: [n, ...head.shape.slice(1)], data }
}
