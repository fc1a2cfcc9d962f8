import {
  DEFAULT_SAFETENSORS_LIMITS,
  DEFAULT_ZIP_LIMITS,
  type SafetensorsLimits,
  type ZipLimits,
} from '../container/index.ts'

/** Limits of a dataset file. What exceeds them is refused with LIMIT_EXCEEDED before anything is allocated. */
export interface DatasetLimits {
  /** Bytes of the header of one npy array. Numpy itself writes less than 128. */
  readonly maxHeaderBytes: number
  /** Dimensions of an array. */
  readonly maxRank: number
  /** Arrays of a file, or fields of a CSV line. */
  readonly maxColumns: number
  /** Bytes of one CSV record. */
  readonly maxRecordBytes: number
  /** Different strings among the labels. */
  readonly maxLabelNames: number
  /** Characters of such a string. */
  readonly maxLabelLength: number
  /** Bytes of an id. */
  readonly maxIdBytes: number
  /** Bytes of one column in one row group of a Parquet file, which are in memory together. */
  readonly maxChunkBytes: number
  /** Files of an archive; those of a zip have limits of their own, too. */
  readonly maxArchiveEntries: number
  /** Bytes that a compressed file unpacks to. */
  readonly maxUnpackedBytes: number
  /** Bytes of one image file, and its pixels. */
  readonly maxImageBytes: number
  readonly maxImagePixels: number
  /** Bytes of a compressed array in Fortran order, which has to be held in memory to be turned. */
  readonly maxTransposeBytes: number
  /** Bytes that are turned at once when the array can be read by ranges. */
  readonly transposeChunkBytes: number
  readonly zip: ZipLimits
  readonly safetensors: SafetensorsLimits
}

/** Files of any length; memory stays below 300 MiB. */
export const DEFAULT_DATASET_LIMITS: DatasetLimits = {
  maxHeaderBytes: 1 << 16,
  maxRank: 32,
  maxColumns: 100_000,
  maxRecordBytes: 16 * 2 ** 20,
  maxLabelNames: 100_000,
  maxLabelLength: 1000,
  maxIdBytes: 256,
  maxChunkBytes: 2 ** 30,
  maxArchiveEntries: 10_000_000,
  maxUnpackedBytes: 2 ** 40,
  maxImageBytes: 64 * 2 ** 20,
  maxImagePixels: 2 ** 26,
  maxTransposeBytes: 256 * 2 ** 20,
  transposeChunkBytes: 16 * 2 ** 20,
  zip: DEFAULT_ZIP_LIMITS,
  safetensors: DEFAULT_SAFETENSORS_LIMITS,
}
