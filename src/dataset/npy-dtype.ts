import { quoted } from '../container/index.ts'
import type { DType } from '../tensor/index.ts'
import type { Literal } from './python-literal.ts'

/** What the elements of an array are. */
export type ElementType =
  | {
      readonly kind: 'NUMBER'
      readonly dtype: DType
      /** Bytes of one element. */
      readonly size: number
      readonly bigEndian: boolean
    }
  | {
      readonly kind: 'TEXT'
      /** `<U7` holds 7 code points in 28 bytes, `|S5` 5 bytes. */
      readonly encoding: 'utf-32' | 'utf-8'
      readonly size: number
      readonly bigEndian: boolean
    }

const NUMBERS: ReadonlyMap<string, DType> = new Map<string, DType>([
  ['b1', 'bool'],
  ['i1', 'int8'],
  ['i2', 'int16'],
  ['i4', 'int32'],
  ['i8', 'int64'],
  ['u1', 'uint8'],
  ['u2', 'uint16'],
  ['u4', 'uint32'],
  ['u8', 'uint64'],
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
])

/** By numpy's kind character: what it is called, and what to do. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  [
    'O',
    'Python objects (dtype=object), which are pickled: loading them can execute code, so they are never read; convert them with array.astype(np.float32) or astype(str)',
  ],
  ['c', 'complex numbers; save real and imaginary parts as features of their own'],
  ['f', 'floats of another size than 2, 4 or 8 bytes; convert them with array.astype(np.float64)'],
  ['M', 'dates; convert them with array.astype(np.int64)'],
  ['m', 'time differences; convert them with array.astype(np.int64)'],
  ['V', 'raw bytes (bfloat16 of another library is written so); convert them with array.astype(np.float32)'],
])

/** The element type that `descr` names, or why it is refused. `array.dtype.str` in numpy's documentation. */
export function elementType(descr: Literal): ElementType | { readonly refused: string } {
  if (Array.isArray(descr)) return { refused: 'records with named fields; save each field as an array of its own' }
  const match = typeof descr === 'string' ? /^([<>|=])([a-zA-Z])(\d{0,9})$/.exec(descr) : null
  if (match === null) return { refused: `elements of the unknown type ${quoted(JSON.stringify(descr))}` }
  const [, order, kind, digits] = match
  const bigEndian = order === '>'
  const count = Number(digits)
  const dtype = NUMBERS.get(`${kind!}${digits!}`)
  if (dtype !== undefined) return { kind: 'NUMBER', dtype, size: count, bigEndian }
  if ((kind === 'U' || kind === 'S') && count === 0) return { refused: 'strings of no characters' }
  if (kind === 'U') return { kind: 'TEXT', encoding: 'utf-32', size: 4 * count, bigEndian }
  if (kind === 'S') return { kind: 'TEXT', encoding: 'utf-8', size: count, bigEndian: false }
  return { refused: REFUSED.get(kind!) ?? `elements of the unknown type ${quoted(descr as string)}` }
}
