import { batchRows, type Session } from '../engine/index.ts'
import type { TensorMap } from '../tensor/index.ts'
import { logitsOf } from './logits.ts'

/** A few samples, ready for the engine. */
export interface PredictedSamples {
  readonly session: Session
  /** Name of the graph output that holds the logits. */
  readonly output: string
  /** By graph input, first dimension the samples'. Their memory is the engine's from now on. */
  readonly inputs: TensorMap
  readonly n: number
  /** Samples of a batch: a run of the same batches gives the same bits. */
  readonly batchSize: number
}

/**
 * The logits of samples, row by row, from the session that a run would use. Not checked for NaN.
 * @throws AppError ENGINE_FAILED.
 */
export async function predictLogits({
  session,
  output,
  inputs,
  n,
  batchSize,
}: PredictedSamples): Promise<Float32Array> {
  if (n <= batchSize) return logitsOf((await session.run(inputs)).outputs.get(output), n)
  const parts: Float32Array[] = []
  for (let first = 0; first < n; first += batchSize) {
    const count = Math.min(batchSize, n - first)
    const { outputs } = await session.run(batchRows(inputs, first, count))
    parts.push(logitsOf(outputs.get(output), count))
  }
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
