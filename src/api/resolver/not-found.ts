import { InputError } from '../input-error.ts'
import type { ObjectKind } from '../object-id.ts'

/** The error of a well-formed id that nothing has. */
export const notFound = (kind: ObjectKind, id: string, path: readonly string[] = ['id']): InputError =>
  new InputError('NOT_FOUND', `there is no ${kind.toLowerCase()} with the id ${id}`, path)
