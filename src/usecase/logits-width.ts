import type { Graph } from '../architecture/index.ts'
import { AppError } from '../error.ts'
import type { Task } from '../metric/index.ts'
import { numel } from '../tensor/index.ts'

/**
 * Values that an architecture puts out for a sample: the width of the output that is called `logits`, or else of the first.
 * @throws AppError ARCHITECTURE_INVALID when that depends on the sample, or has more dimensions than the task can use.
 */
export function logitsWidth({ outputs }: Graph, task: Task): number {
  const output = outputs.find(({ name }) => name === 'logits') ?? outputs[0]
  if (output === undefined) throw new AppError('ARCHITECTURE_INVALID', 'the graph has no output')
  const sample = output.shape.slice(1)
  const text = `output ${output.name} of the architecture is [${output.shape.join(', ')}]`
  const unknown = sample.find((size) => typeof size === 'string')
  if (unknown !== undefined)
    throw new AppError(
      'ARCHITECTURE_INVALID',
      `${text}; the number of values for a sample must not depend on ${unknown}`,
    )
  if (sample.length > 1 && task !== 'REGRESSION')
    throw new AppError('ARCHITECTURE_INVALID', `${text}; ${task} takes one row of logits for each sample: [N, K]`)
  return numel(sample as number[])
}
