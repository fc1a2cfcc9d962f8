import type { ByteSource } from '../container/index.ts'
import type { DatasetFile } from './columns.ts'
import { DEFAULT_DATASET_LIMITS, type DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { arrowTable } from './arrow-table.ts'
import { csvTable } from './csv-table.ts'
import { jsonlTable } from './jsonl-table.ts'
import { openNpy } from './open-npy.ts'
import { openNpz } from './open-npz.ts'
import { openSafetensors } from './open-safetensors.ts'
import { openTable } from './open-table.ts'
import { parquetTable } from './parquet-table.ts'
import { recogniseFormat } from './recognise-format.ts'

/**
 * Recognises a dataset file and reads what it holds, but not its values (of a CSV, which says nothing about itself,
 * those too). The source stays open while the dataset is read, and is the caller's to close.
 * @throws AppError DATASET_UNKNOWN_FORMAT, DATASET_CORRUPT, DATASET_UNSUPPORTED, DATASET_NOT_FINITE, LIMIT_EXCEEDED;
 *   BAD_INPUT when it is not clear which columns are features and labels: the message lists them.
 */
export async function openDataset(
  source: ByteSource,
  options: DatasetOptions = {},
  limits: DatasetLimits = DEFAULT_DATASET_LIMITS,
): Promise<DatasetFile> {
  const format = await recogniseFormat(source, options.format)
  switch (format) {
    case 'npz':
      return openNpz(source, options, limits)
    case 'npy':
      return openNpy(source, options, limits)
    case 'safetensors':
      return openSafetensors(source, options, limits)
    case 'csv':
      return openTable(source, await csvTable(source, options, limits), options, limits)
    case 'jsonl':
      return openTable(source, await jsonlTable(source, limits), options, limits)
    case 'parquet':
      return openTable(source, await parquetTable(source, limits), options, limits)
    case 'arrow':
      return openTable(source, await arrowTable(source, limits), options, limits)
  }
}
