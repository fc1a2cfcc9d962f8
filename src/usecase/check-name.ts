import { AppError } from '../error.ts'

/**
 * A name as it is stored: without white space around it.
 * @param what how the message calls it: `a model's name`.
 * @throws AppError BAD_INPUT when it is empty, too long, or has control characters (PostgreSQL refuses NUL in text).
 */
export function checkName(what: string, name: string, maxLength: number): string {
  const trimmed = name.trim()
  if (trimmed === '') throw new AppError('BAD_INPUT', `${what} is empty; 1 to ${maxLength} characters are expected`)
  if (trimmed.length > maxLength)
    throw new AppError('BAD_INPUT', `${what} has ${trimmed.length} characters; at most ${maxLength} are allowed`)
  if (!isStorableText(trimmed) || /\p{Cc}/u.test(trimmed))
    throw new AppError('BAD_INPUT', `${what} ${JSON.stringify(trimmed)} has control characters; use printable ones`)
  return trimmed
}

/** Whether PostgreSQL takes a string as text: no NUL, and no surrogate without its other half. */
export const isStorableText = (text: string): boolean => !/[\0\p{Surrogate}]/u.test(text)
