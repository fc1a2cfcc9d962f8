import { quoted } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { ColumnStatistics } from './columns.ts'
import { csvNumber } from './csv-number.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import { labelNameSet } from './text-labels.ts'

/** What the labels of a CSV turned out to be. */
export interface CsvLabels {
  readonly dtype: 'int64' | 'float64'
  /** Sorted, when labels are text; else null. */
  readonly names: readonly string[] | null
  readonly statistics: ColumnStatistics
}

/** A label that has no value, and the record it is in. */
export interface MissingLabel {
  readonly record: number
  readonly text: string
}

/**
 * Looks at one label column, record by record. Labels are numbers when every one is, else text: then `nan` and `none`
 * are names too. An empty label is missing in any case.
 */
export interface LabelScan {
  see(text: string, record: number): void
  /** Call after the last record. */
  finish(): CsvLabels | { readonly missing: MissingLabel }
}

/** A scan that has seen nothing. */
export function labelScan(where: string, limits: DatasetLimits): LabelScan {
  let [min, max, integral, numeric] = [Infinity, -Infinity, true, true]
  let empty: MissingLabel | null = null
  let notFinite: MissingLabel | null = null
  const names = labelNameSet(where, limits)
  // Numbers may be of any count; that they are too many names only matters if text comes after them.
  let refusal: AppError | null = null

  return {
    see(text, record) {
      const label = text.trim()
      if (label === '') {
        empty ??= { record, text: label }
        return
      }
      const value = numeric ? csvNumber(label) : null
      if (value === null) numeric = false
      else if (Number.isNaN(value)) notFinite ??= { record, text: label }
      else {
        if (value < min) min = value
        if (value > max) max = value
        if (!Number.isSafeInteger(value)) integral = false
      }
      refusal ??= names.add(label)
      if (!numeric && refusal !== null) throw refusal
    },
    finish() {
      if (empty !== null) return { missing: empty }
      if (!numeric) {
        const sorted = names.sorted()
        checkUtf8(where, sorted)
        return { dtype: 'int64', names: sorted, statistics: { min: 0, max: sorted.length - 1, integral: true } }
      }
      if (notFinite !== null) return { missing: notFinite }
      return { dtype: integral ? 'int64' : 'float64', names: null, statistics: { min, max, integral } }
    },
  }
}

function checkUtf8(where: string, names: readonly string[]): void {
  const broken = names.find((name) => name.includes('\ufffd'))
  if (broken !== undefined)
    throw new AppError(
      'DATASET_CORRUPT',
      `${where}: the label ${quoted(broken)} is not UTF-8 text; save the file as UTF-8`,
    )
}
