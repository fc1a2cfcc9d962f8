import type { DType } from '../../tensor/index.ts'
import type { Size } from '../size.ts'
import type { Element, Value } from './operator.ts'

/** The most elements that are followed; shapes, axes, scales and small tables have fewer. */
export const MAX_ELEMENTS = 4096

const EXACT = new Set<DType>([
  'float32',
  'float64',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'uint16',
  'uint32',
  'bool',
])

/** Whether elements of the dtype are followed: JavaScript numbers hold them, and rounding is known. */
export const isFollowed = (dtype: DType): boolean => EXACT.has(dtype)

/** Whether the dtype holds fractions. */
export const isFloat = (dtype: DType): boolean => dtype.startsWith('float') || dtype === 'bfloat16'

/** The shape as numbers, when it is small and fixed enough for its elements to be followed. */
export function smallShape(shape: readonly Size[]): readonly number[] | undefined {
  let count = 1
  for (const size of shape) {
    if (typeof size !== 'number') return undefined
    count *= size
  }
  return count <= MAX_ELEMENTS ? (shape as readonly number[]) : undefined
}

/** One element for each index of the shape, in row-major order. */
export function elementsOf(shape: readonly number[], element: (index: readonly number[]) => Element): Element[] {
  const count = shape.reduce((product, size) => product * size, 1)
  const index = shape.map(() => 0)
  const elements: Element[] = []
  for (let flat = 0; flat < count; flat++) {
    elements.push(element(index))
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++
      if (index[axis]! < shape[axis]!) break
      index[axis] = 0
    }
  }
  return elements
}

/** Position in row-major order. Sizes of 1 are repeated, as broadcasting does. */
export function flatIndex(shape: readonly number[], index: readonly number[]): number {
  const skipped = index.length - shape.length
  let flat = 0
  for (let axis = 0; axis < shape.length; axis++)
    flat = flat * shape[axis]! + (shape[axis] === 1 ? 0 : index[axis + skipped]!)
  return flat
}

/** The value with its elements moved: `source` says from which index of the input each output index comes. */
export function moved(
  input: Value,
  shape: readonly Size[],
  source: (index: readonly number[]) => readonly number[],
): Value {
  const { dtype, elements } = input
  const small = elements && smallShape(shape)
  if (!small) return { dtype, shape }
  const from = input.shape as readonly number[]
  return { dtype, shape, elements: elementsOf(small, (index) => elements[flatIndex(from, source(index))] ?? null) }
}

/** The value with the same elements in another shape. */
export const reshaped = ({ dtype, elements }: Value, shape: readonly Size[]): Value => ({ dtype, shape, elements })

/** A number as an element of the dtype; null when the dtype cannot hold it exactly enough to go on. */
export function rounded(dtype: DType, value: number): Element {
  if (dtype === 'float32') return Math.fround(value)
  if (dtype === 'float64') return value
  if (Number.isNaN(value)) return null
  if (dtype === 'bool') return value === 0 ? 0 : 1
  const whole = Math.trunc(value)
  const [low, high] = RANGES[dtype] ?? [1, 0]
  return whole >= low && whole <= high ? whole : null
}

const RANGES: Partial<Record<DType, readonly [number, number]>> = {
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int8: [-128, 127],
  uint8: [0, 255],
  uint16: [0, 65_535],
  uint32: [0, 2 ** 32 - 1],
}
