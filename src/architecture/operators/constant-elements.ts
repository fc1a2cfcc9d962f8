import { itemSize, typedArrayOf, type DType } from '../../tensor/index.ts'
import type { Constant } from '../graph.ts'
import { isFollowed, MAX_ELEMENTS } from './elements.ts'
import type { Element, Value } from './operator.ts'

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** The elements of a small constant, or undefined for a large one or a dtype that is not followed. */
export function constantElements({ dtype, shape, bytes }: Constant): readonly Element[] | undefined {
  const count = shape.reduce((product, size) => product * size, 1)
  if (count > MAX_ELEMENTS || !isFollowed(dtype)) return undefined
  return Array.from(typedArrayOf(dtype, bytes), elementOf)
}

/** Slices write "to the end" as some of the largest int64s, which no JavaScript number holds. */
function elementOf(value: number | bigint): Element {
  if (typeof value === 'number') return value
  if (Number.isSafeInteger(Number(value))) return Number(value)
  return value > 2n ** 62n ? Infinity : value < -(2n ** 62n) ? -Infinity : null
}

/** The constant that a value is when all of its elements are known numbers, else undefined. */
export function constantOf(name: string, { dtype, shape, elements }: Value): Constant | undefined {
  if (!elements?.every((element) => typeof element === 'number') || !isFollowed(dtype)) return undefined
  return { name, dtype, shape: shape as readonly number[], bytes: bytesOf(dtype, elements) }
}

/** Numbers as little-endian bytes of a dtype. */
export function bytesOf(dtype: DType, numbers: ArrayLike<number>): Uint8Array {
  const array = typedArrayOf(dtype, new Uint8Array(numbers.length * itemSize(dtype)))
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) array.set(Array.from(numbers, bigOf))
  else array.set(numbers)
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

const bigOf = (number: number): bigint =>
  number === Infinity ? INT64_MAX : number === -Infinity ? INT64_MIN : BigInt(number)
