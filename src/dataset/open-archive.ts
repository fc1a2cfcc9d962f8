import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { archiveEntries, spill, unpackedName, unzipped, type ArchiveEntry } from './archive.ts'
import { arrayDataset } from './array-dataset.ts'
import { rolesOf, type Candidate } from './array-roles.ts'
import type { DatasetFile } from './columns.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { idxArray, isIdx } from './idx-array.ts'
import { folderTable, imageColumn, IMAGE_NAME, manifestTable, stageImages } from './open-images.ts'
import { openTable, tableOf } from './open-table.ts'
import { recogniseFormat } from './recognise-format.ts'
import type { Scratch } from './scratch-file.ts'
import { concatTables } from './shards.ts'

/** Bytes of a manifest of images. */
const MANIFEST_BYTES = 256 * 2 ** 20

/**
 * An archive that is no .npz: images in class folders or with a manifest, a pair of IDX files, or the shards of a table.
 * @throws AppError as `openDataset`.
 */
export async function openArchive(
  source: ByteSource,
  kind: 'zip' | 'tar',
  options: DatasetOptions,
  limits: DatasetLimits,
  scratch: Scratch,
): Promise<DatasetFile> {
  const entries = () => archiveEntries(source, kind, limits)
  for await (const { name } of entries())
    if (IMAGE_NAME.test(name)) return await openImages(source, entries(), options, limits, scratch)
  const files: ByteSource[] = []
  for await (const entry of entries()) files.push(await unpacked(entry, scratch, limits))
  if (files.length === 0) throw new AppError('DATASET_CORRUPT', `${source.name} holds no files`)
  const heads = await Promise.all(files.map((file) => file.read(0, Math.min(8, file.size))))
  if (heads.every(isIdx)) return await openIdxFiles(source, files, options, limits)
  const other = files.find(({ name }) => !TABLE_NAME.test(name))
  if (other !== undefined)
    throw new AppError(
      'DATASET_UNKNOWN_FORMAT',
      `${source.name} is a ${kind} file, but ${quoted(other.name)} in it is no .npy array, image, IDX file or shard of a table (.csv, .jsonl, .parquet, .arrow)`,
    )
  return await openShards(source, files, options, limits)
}

/** Files that hold tables. */
const TABLE_NAME = /\.(csv|jsonl|ndjson|parquet|arrow|feather)$/i

/** A file of an archive; one of gzip is unpacked. */
async function unpacked(entry: ArchiveEntry, scratch: Scratch, limits: DatasetLimits): Promise<ByteSource> {
  const zipped = /\.gz$/i.test(entry.name)
  const pieces = zipped ? unzipped(entry.name, entry.pieces()) : entry.pieces()
  return await spill(unpackedName(entry.name), pieces, scratch, limits.maxUnpackedBytes)
}

async function openImages(
  source: ByteSource,
  entries: AsyncIterable<ArchiveEntry>,
  options: DatasetOptions,
  limits: DatasetLimits,
  scratch: Scratch,
): Promise<DatasetFile> {
  const manifests: ByteSource[] = []
  const images = await stageImages(
    source,
    entries,
    async (entry) => {
      if (/\.csv$/i.test(entry.name)) manifests.push(await spill(entry.name, entry.pieces(), scratch, MANIFEST_BYTES))
    },
    options,
    limits,
    scratch,
  )
  const [manifest] = manifests
  if (manifests.length > 1)
    throw new AppError(
      'BAD_INPUT',
      `${source.name} holds ${manifests.map(({ name }) => quoted(name)).join(', ')}; one CSV is expected beside the images`,
    )
  const { table, order } =
    manifest === undefined
      ? folderTable(source, images)
      : await manifestTable(source, manifest, images, options, limits)
  return await openTable(source, table, options, limits, imageColumn(images, order))
}

/** IDX files of one dataset: images and their labels. */
async function openIdxFiles(
  source: ByteSource,
  files: readonly ByteSource[],
  options: DatasetOptions,
  limits: DatasetLimits,
): Promise<DatasetFile> {
  const candidates: Candidate[] = []
  for (const file of files) {
    const array = await idxArray(file.name, file, limits)
    // The file's name says what is in it: t10k-images-idx3-ubyte.
    const usual = array.shape.length > 1 ? 'images' : 'labels'
    const lone = files.length === 2 && !candidates.some(({ name }) => name === usual)
    candidates.push({ name: lone ? usual : file.name, array: { ...array, name: lone ? usual : file.name } })
  }
  return await arrayDataset(source, 'idx', rolesOf(source, candidates, options), limits)
}

/** Shards of a table, in order of their names. */
async function openShards(
  source: ByteSource,
  files: readonly ByteSource[],
  options: DatasetOptions,
  limits: DatasetLimits,
): Promise<DatasetFile> {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1))
  const tables = []
  for (const file of sorted) {
    const format = await recogniseFormat(file)
    const table = await tableOf(file, format, options, limits)
    if (table === null)
      throw new AppError(
        'DATASET_UNKNOWN_FORMAT',
        `${source.name}: ${quoted(file.name)} is no table, it looks like ${format}`,
      )
    tables.push({ file, table })
  }
  return await openTable(source, concatTables(tables), options, limits)
}
