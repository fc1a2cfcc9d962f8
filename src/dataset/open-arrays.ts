import type { ByteSource } from '../container/index.ts'
import { arrayDataset } from './array-dataset.ts'
import { rolesOf, type Candidate } from './array-roles.ts'
import type { DatasetFile } from './columns.ts'
import { DEFAULT_DATASET_LIMITS, type DatasetLimits } from './dataset-limits.ts'
import type { DatasetFormat, DatasetOptions } from './dataset-options.ts'

/**
 * A dataset of arrays that somebody else found in a file.
 * @throws AppError as `openDataset`.
 */
export async function openArrays(
  source: ByteSource,
  format: DatasetFormat,
  arrays: readonly Candidate[],
  options: DatasetOptions,
  limits: DatasetLimits = DEFAULT_DATASET_LIMITS,
): Promise<DatasetFile> {
  return await arrayDataset(source, format, rolesOf(source, arrays, options), limits)
}
