import type { DatasetFacts, Preprocess } from '../evaluation/index.ts'
import type { DatasetColumnRow, DatasetRow } from '../store/index.ts'
import { storedDType } from './stored-dtype.ts'

/** A dataset as the evaluation has to know it, from its rows. */
export function datasetFacts(dataset: DatasetRow, columns: readonly DatasetColumnRow[]): DatasetFacts {
  return {
    rows: Number(dataset.rows),
    columns: columns.map(({ name, role, dtype, shape, min, max, integral, names, preprocess }) => ({
      name,
      role,
      dtype: storedDType(dtype),
      shape,
      statistics: { min: min ?? NaN, max: max ?? NaN, integral },
      names: names.length === 0 ? null : names,
      preprocess: preprocess as Preprocess | null,
    })),
  }
}
