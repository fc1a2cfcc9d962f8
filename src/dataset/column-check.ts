import { AppError } from '../error.ts'
import { bfloat16ToNumber, float16ToNumber, numel, typedArrayOf, type Shape } from '../tensor/index.ts'
import type { Column, ColumnStatistics } from './columns.ts'
import { showName } from './show-name.ts'

/** Looks at every value of a column as it passes by. */
export interface ColumnCheck {
  /** The next whole elements, little-endian. Throws AppError DATASET_NOT_FINITE, which names the row. */
  see(bytes: Uint8Array): void
  /** Of what was seen so far; of nothing, 0 to 0. */
  statistics(): ColumnStatistics
}

/** A check that has seen nothing. */
export function columnCheck(where: string, { name, role, dtype, shape }: Column): ColumnCheck {
  let [min, max, integral, seen] = [Infinity, -Infinity, true, 0]
  // Samples need not belong to a slice.
  const mayMiss = role === 'SLICE'
  const valueAt = reader(dtype)
  return {
    see(bytes) {
      const count = valueAt.load(bytes)
      for (let i = 0; i < count; i++) {
        const value = valueAt.at(i)
        if (mayMiss && Number.isNaN(value)) {
          integral = false
          continue
        }
        if (value < min) min = value
        if (value > max) max = value
        if (integral && value !== Math.floor(value)) integral = false
        // NaN − NaN and ∞ − ∞ are NaN; every other number minus itself is 0.
        if (value - value !== 0) throw notFinite(where, name, shape, seen + i, value)
      }
      seen += count
    },
    statistics: () => (min > max ? { min: 0, max: 0, integral: true } : { min, max, integral }),
  }
}

interface Values {
  /** Takes bytes and says how many values they are. */
  load(bytes: Uint8Array): number
  at(i: number): number
}

function reader(dtype: Column['dtype']): Values {
  if (dtype === 'int64' || dtype === 'uint64') return wholeReader(dtype)
  let values: ArrayLike<number> = []
  const load = (bytes: Uint8Array): number => {
    values = typedArrayOf(dtype, bytes) as unknown as ArrayLike<number>
    return values.length
  }
  if (dtype === 'float16') return { load, at: (i) => float16ToNumber(values[i]!) }
  if (dtype === 'bfloat16') return { load, at: (i) => bfloat16ToNumber(values[i]!) }
  return { load, at: (i) => values[i]! }
}

/** 64-bit integers from their halves: no BigInt for each. */
function wholeReader(dtype: 'int64' | 'uint64'): Values {
  let low: Uint32Array = new Uint32Array()
  let high: Int32Array | Uint32Array = new Uint32Array()
  return {
    load(bytes) {
      low = typedArrayOf('uint32', bytes) as Uint32Array
      high = typedArrayOf(dtype === 'int64' ? 'int32' : 'uint32', bytes) as Int32Array | Uint32Array
      return bytes.length / 8
    },
    at: (i) => high[2 * i + 1]! * 2 ** 32 + low[2 * i]!,
  }
}

function notFinite(where: string, name: string, shape: Shape, index: number, value: number): AppError {
  const perRow = numel(shape)
  const place: number[] = []
  let rest = index % perRow
  for (const size of [...shape].reverse()) {
    place.unshift(rest % size)
    rest = Math.floor(rest / size)
  }
  const element = shape.length === 0 ? '' : ` at [${place.join(', ')}]`
  return new AppError(
    'DATASET_NOT_FINITE',
    `${where}: row ${Math.floor(index / perRow)} of ${showName(name)} is ${value}${element}; replace or drop such rows`,
  )
}
