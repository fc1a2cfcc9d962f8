import { AppError } from '../error.ts'
import { numel } from '../tensor/index.ts'
import { isCastable } from './cast.ts'
import type { ColumnFacts, DatasetFacts } from './dataset-fit.ts'

/** How the samples of a dataset are divided by one slicing key. Plain data. */
export interface SliceFit {
  /** As it was asked for: `hospital`, `age:10`. */
  readonly key: string
  readonly column: string
  /** What the values of the column are called, where they are codes of text. */
  readonly names: readonly string[] | null
  /** Ranges of equal width; null where each value is a slice of its own. */
  readonly bins: { readonly min: number; readonly max: number; readonly count: number } | null
}

/** Slicing keys of one run. */
const MAX_KEYS = 10
/** Slices of one key. */
const MAX_SLICES = 1000

/**
 * Reads slicing keys: the name of a column, each value of which is a slice, or `name:10` for ten ranges of equal width.
 * @throws AppError BAD_INPUT for a column that is not there or cannot be divided so.
 */
export function fitSlices(keys: readonly string[], dataset: DatasetFacts): SliceFit[] {
  if (keys.length > MAX_KEYS)
    throw new AppError('BAD_INPUT', `${keys.length} slicing keys were given; ${MAX_KEYS} at most can be`)
  const twice = keys.find((key, i) => keys.indexOf(key) !== i)
  if (twice !== undefined) throw new AppError('BAD_INPUT', `the slicing key ${twice} was given twice`)
  return keys.map((key) => fitSlice(key, dataset))
}

function fitSlice(key: string, { columns }: DatasetFacts): SliceFit {
  const { column, count } = parse(key, columns)
  const { name, statistics, shape } = column
  if (numel(shape) !== 1 || !isCastable(column.dtype))
    throw new AppError(
      'BAD_INPUT',
      `column ${name} has [${shape.join(', ')}] numbers for each sample; a slicing key needs one`,
    )
  const names = column.names ?? null
  if (count === null) {
    const found = names?.length ?? (statistics.integral ? statistics.max - statistics.min + 1 : Infinity)
    if (found > MAX_SLICES)
      throw new AppError(
        'BAD_INPUT',
        `column ${name} has ${Number.isFinite(found) ? `values from ${statistics.min} to ${statistics.max}` : 'fractions'}, which would be more than ` +
          `${MAX_SLICES} slices; give a number of ranges: ${name}:10`,
      )
    return { key, column: name, names, bins: null }
  }
  if (names !== null)
    throw new AppError('BAD_INPUT', `column ${name} holds text, which has no ranges; give ${name} alone`)
  const { min, max } = statistics
  if (!(Number.isFinite(min) && Number.isFinite(max)))
    throw new AppError('BAD_INPUT', `column ${name} has no values to make ranges of`)
  return { key, column: name, names: null, bins: { min, max, count } }
}

/** The column that a key names, and a number of ranges; a name with a colon is a name first. */
function parse(
  key: string,
  columns: readonly ColumnFacts[],
): { readonly column: ColumnFacts; readonly count: number | null } {
  const usable = columns.filter(({ role }) => role !== 'ID')
  const whole = usable.find(({ name }) => name === key)
  if (whole !== undefined) return { column: whole, count: null }
  const split = /^(.*):(\d{1,4})$/.exec(key)
  const column = usable.find(({ name }) => name === split?.[1])
  const count = Number(split?.[2])
  if (column === undefined)
    throw new AppError(
      'BAD_INPUT',
      `the dataset has no column ${split?.[1] ?? key} to slice by; it has ${usable.map(({ name }) => name).join(', ')}`,
    )
  if (count < 2 || count > MAX_SLICES)
    throw new AppError('BAD_INPUT', `${key} asks for ${count} ranges; 2 to ${MAX_SLICES} can be`)
  return { column, count }
}

/** The slice of a value, as a code that `sliceName` names; NaN for samples without a value. */
export function sliceCode({ bins }: SliceFit, value: number): number {
  if (bins === null || Number.isNaN(value)) return value
  const { min, max, count } = bins
  return max === min ? 0 : Math.min(count - 1, Math.floor(((value - min) / (max - min)) * count))
}

/** What a slice is called: a value, a range `[20, 30)`, or `(missing)`. */
export function sliceName({ names, bins }: SliceFit, code: number): string {
  if (Number.isNaN(code)) return '(missing)'
  if (bins !== null) {
    const { min, max, count } = bins
    const edge = (i: number): string => String(Number((min + ((max - min) * i) / count).toPrecision(6)))
    return `[${edge(code)}, ${edge(code + 1)}${code === count - 1 ? ']' : ')'}`
  }
  const name = names === null ? String(code) : (names[code] ?? '')
  return name === '' ? '(missing)' : name
}
