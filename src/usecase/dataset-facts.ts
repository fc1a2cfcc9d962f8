import type { DatasetFacts } from '../evaluation/index.ts'
import type { DatasetColumnRow, DatasetRow } from '../store/index.ts'
import { storedDType } from './stored-dtype.ts'

/** A dataset as the evaluation has to know it, from its rows. */
export function datasetFacts(dataset: DatasetRow, columns: readonly DatasetColumnRow[]): DatasetFacts {
  return {
    rows: Number(dataset.rows),
    columns: columns.map(({ name, role, dtype, shape, min, max, integral }) => ({
      name,
      role,
      dtype: storedDType(dtype),
      shape,
      statistics: { min: min ?? NaN, max: max ?? NaN, integral },
    })),
    labelNames: dataset.labelNames.length === 0 ? null : dataset.labelNames,
  }
}
