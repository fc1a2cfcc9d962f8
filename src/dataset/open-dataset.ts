import { readZipDirectory, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { gunzipped, isTorchZip, zipOptions } from './archive.ts'
import { arrayDataset } from './array-dataset.ts'
import type { DatasetFile } from './columns.ts'
import { DEFAULT_DATASET_LIMITS, type DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { idxArray } from './idx-array.ts'
import { openArchive } from './open-archive.ts'
import { openNpy } from './open-npy.ts'
import { openNpz } from './open-npz.ts'
import { openSafetensors } from './open-safetensors.ts'
import { openTable, tableOf } from './open-table.ts'
import { recogniseFormat } from './recognise-format.ts'
import { openScratch, type Scratch } from './scratch-file.ts'

/**
 * Recognises a dataset file and reads what it holds; the values of arrays are left in the file, those of tables and images, which say nothing
 * about themselves, are read and wait in scratch files. The source stays open while the dataset is read, and is the caller's to close.
 * @throws AppError DATASET_UNKNOWN_FORMAT, DATASET_CORRUPT, DATASET_UNSUPPORTED, DATASET_NOT_FINITE, LIMIT_EXCEEDED;
 *   BAD_INPUT when it is not clear which columns are features and labels: the message lists them.
 */
export async function openDataset(
  source: ByteSource,
  options: DatasetOptions = {},
  limits: DatasetLimits = DEFAULT_DATASET_LIMITS,
): Promise<DatasetFile> {
  const format = await recogniseFormat(source)
  switch (format) {
    case 'zip':
      if (await isNpz(source, limits)) return openNpz(source, options, limits)
      return await withScratch(options, (scratch) => openArchive(source, 'zip', options, limits, scratch))
    case 'tar':
      return await withScratch(options, (scratch) => openArchive(source, 'tar', options, limits, scratch))
    case 'gzip':
      return await withScratch(options, async (scratch) => {
        const unpacked = await gunzipped(source, scratch, limits)
        if ((await recogniseFormat(unpacked)) === 'gzip')
          throw new AppError('DATASET_UNSUPPORTED', `${source.name} is compressed by gzip twice`)
        return await openDataset(unpacked, options, limits)
      })
    case 'idx':
      return await openIdx(source, options, limits)
    case 'npy':
      return openNpy(source, options, limits)
    case 'safetensors':
      return openSafetensors(source, options, limits)
    case 'csv':
    case 'jsonl':
    case 'parquet':
    case 'arrow':
      return openTable(source, (await tableOf(source, format, options, limits))!, options, limits)
  }
}

/** A zip whose first file is an array, or that looks like nothing else: the reader of arrays says what it is. */
async function isNpz(source: ByteSource, limits: DatasetLimits): Promise<boolean> {
  const entries = await readZipDirectory(source, zipOptions(limits))
  return isTorchZip(entries) || entries.length === 0 || entries.some(({ name }) => name.endsWith('.npy'))
}

/** A lone IDX file has no labels. */
async function openIdx(source: ByteSource, options: DatasetOptions, limits: DatasetLimits): Promise<DatasetFile> {
  const array = await idxArray('x', source, limits)
  if (options.labelsOptional === true) return await arrayDataset(source, 'idx', [{ array, role: 'FEATURE' }], limits)
  throw new AppError(
    'BAD_INPUT',
    `${source.name} is one IDX file, and samples need labels: put the file of the images and that of the labels into a zip or tar`,
  )
}

/** A dataset that needs scratch files as long as it is open. */
async function withScratch(
  { scratchDir }: DatasetOptions,
  open: (scratch: Scratch) => Promise<DatasetFile>,
): Promise<DatasetFile> {
  const scratch = await openScratch(scratchDir)
  try {
    const file = await open(scratch)
    return {
      ...file,
      async [Symbol.asyncDispose]() {
        await file[Symbol.asyncDispose]()
        await scratch[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await scratch[Symbol.asyncDispose]()
    throw error
  }
}
