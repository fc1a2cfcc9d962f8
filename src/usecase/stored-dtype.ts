import { invariant } from '../error.ts'
import { isDType, type DType } from '../tensor/index.ts'

/** A dtype that we wrote ourselves. */
export function storedDType(name: string): DType {
  invariant(isDType(name), `the database has a tensor of dtype ${name}`)
  return name
}
