import { AppError } from '../error.ts'
import type { Task } from '../metric/index.ts'
import { checkName } from './check-name.ts'
import type { PlatformLimits } from './limits.ts'

/**
 * The class names of a model by index, from what the user gave and from the number of values the architecture puts out for a sample.
 * Without names they are '0', '1', …
 * @throws AppError BAD_INPUT when names and width do not go together for the task.
 */
export function classNames(
  task: Task,
  given: readonly string[] | null,
  width: number,
  limits: PlatformLimits,
): readonly string[] {
  const count = classCount(task, width)
  if (given === null || given.length === 0) return numbered(checkCount(count, limits))
  if (task === 'REGRESSION')
    throw new AppError('BAD_INPUT', `a REGRESSION model has no classes; ${given.length} were given; leave them out`)
  if (given.length !== count)
    throw new AppError(
      'BAD_INPUT',
      task === 'BINARY'
        ? `${given.length} class names were given; a BINARY model has two: the negative and the positive one`
        : `${given.length} class names were given; the architecture puts out ${width} values for a sample, so ${count} are expected`,
    )
  checkCount(count, limits)
  const names = given.map((name, i) => checkName(`the name of class ${i}`, name, limits.nameLength))
  const seen = new Map<string, number>()
  names.forEach((name, i) => {
    const first = seen.get(name)
    if (first !== undefined)
      throw new AppError(
        'BAD_INPUT',
        `classes ${first} and ${i} are both named ${JSON.stringify(name)}; names must differ`,
      )
    seen.set(name, i)
  })
  return names
}

/** How many classes a task has when the architecture puts out `width` values for a sample. */
function classCount(task: Task, width: number): number {
  switch (task) {
    case 'BINARY':
      if (width === 1 || width === 2) return 2
      throw new AppError(
        'BAD_INPUT',
        `the architecture puts out ${width} values for a sample; BINARY takes one logit (sigmoid) or two (softmax). ` +
          'Should the task be MULTICLASS or MULTILABEL?',
      )
    case 'MULTICLASS':
      if (width >= 2) return width
      throw new AppError(
        'BAD_INPUT',
        'the architecture puts out one value for a sample; MULTICLASS takes at least two logits. Should the task be BINARY?',
      )
    case 'MULTILABEL':
      return width
    case 'REGRESSION':
      return 0
  }
}

function checkCount(count: number, limits: PlatformLimits): number {
  if (count > limits.classes)
    throw new AppError('LIMIT_EXCEEDED', `${count} classes are more than the limit of ${limits.classes}`)
  return count
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))
