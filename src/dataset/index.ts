export type { Column, ColumnRole, ColumnStatistics, DatasetFile } from './columns.ts'
export { DEFAULT_DATASET_LIMITS, type DatasetLimits } from './dataset-limits.ts'
export type { DatasetFormat, DatasetOptions, ImageOptions } from './dataset-options.ts'
export { openDataset } from './open-dataset.ts'
