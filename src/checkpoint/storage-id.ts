import { itemSize } from '../tensor/index.ts'
import { integerOf, ofKind, positional, stringOf } from './pickle/arguments.ts'
import { STORAGE_DTYPES } from './pickle/globals.ts'
import { corrupt, unsupported, type PickleMachine } from './pickle/machine-state.ts'
import type { PickleValue } from './pickle/pickle-value.ts'
import type { StorageEntry } from './value-tree.ts'

/** A storage as a persistent id declares it. */
export interface DeclaredStorage extends StorageEntry {
  /** The storage class that the pickle names: `torch.FloatStorage`. */
  readonly class: string
  /** What follows the length in the tuple: `view_metadata` in files before 1.6. */
  readonly rest: readonly PickleValue[]
}

/**
 * Reads the persistent id `('storage', StorageClass, key, location, numel, …)` of torch.save; `arity` values in all. numel counts
 * elements of the class, bytes for an UntypedStorage.
 */
export function parseStorageId(machine: PickleMachine, id: PickleValue, arity: number): DeclaredStorage {
  const [kind, cls, key, location, numel, ...rest] = positional(machine, 'a persistent id', id, arity)
  if (kind !== 'storage') throw corrupt(machine, 'a persistent id that names no storage')
  const { path } = ofKind(machine, cls, 'global', 'the class of a storage')
  const dtype = STORAGE_DTYPES.get(path)
  if (dtype === undefined) throw corrupt(machine, `a storage of the class ${path}, which is no storage class`)
  if (dtype === 'quint4x2' || dtype === 'quint2x4')
    throw unsupported(
      machine,
      `a quantized tensor of less than a byte an element (${path}); dequantize it before torch.save`,
    )
  const elements = integerOf(machine, numel, 'the length of a storage')
  const byteLength = elements * itemSize(dtype)
  if (elements < 0 || !Number.isSafeInteger(byteLength)) throw corrupt(machine, `a storage of ${elements} elements`)
  return {
    class: path,
    key: stringOf(machine, key, 'the key of a storage'),
    dtype,
    byteLength,
    location: stringOf(machine, location, 'the location of a storage'),
    rest,
  }
}

/** Whether two persistent ids declare the same storage. */
export const sameStorage = (
  a: Pick<DeclaredStorage, 'class' | 'byteLength' | 'location'>,
  b: Pick<DeclaredStorage, 'class' | 'byteLength' | 'location'>,
): boolean => a.class === b.class && a.byteLength === b.byteLength && a.location === b.location
