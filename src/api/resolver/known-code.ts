import { ERROR_CODES, type ErrorCode } from '../../error.ts'

/** A code that an older version wrote and this one does not know is still an answer. */
export const knownCode = (code: string): ErrorCode =>
  Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'INTERNAL'
