import { AppError, invariant } from '../error.ts'
import type { Task } from '../metric/index.ts'
import { toFloat32, type Tensor } from '../tensor/index.ts'

/**
 * One row of numbers for each of `n` samples.
 * @throws AppError ENGINE_FAILED.
 */
export function logitsOf(output: Tensor | undefined, n: number): Float32Array {
  invariant(output !== undefined, 'the engine gave no logits')
  const { dtype, shape, data } = output
  if (shape[0] !== n)
    throw new AppError(
      'ENGINE_FAILED',
      `the model gave an output of shape [${shape.join(', ')}] for ${n} samples; its first dimension has to be the batch`,
    )
  return toFloat32(dtype, data)
}

/**
 * Checks the logits of `n` samples. -Infinity is a logit that a class can have: its probability is zero.
 * @param rowOf what a sample is called in the message.
 * @throws AppError LOGITS_NOT_FINITE naming the sample.
 */
export function checkFinite(task: Task, values: Float32Array, n: number, rowOf: (sample: number) => number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (Number.isFinite(value) || (value === -Infinity && task !== 'REGRESSION')) continue
    const width = values.length / n
    throw new AppError(
      'LOGITS_NOT_FINITE',
      `the model answered ${value} for sample ${rowOf(Math.floor(i / width))} (output ${i % width}); ` +
        'look for NaN or very large values among the weights of the checkpoint, or features that are not scaled as in training',
    )
  }
}
