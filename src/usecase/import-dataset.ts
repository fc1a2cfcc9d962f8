import type { DatasetFile, DatasetOptions, ImageOptions } from '../dataset/index.ts'
import { AppError } from '../error.ts'
import { checkPreprocess, type Preprocess } from '../evaluation/index.ts'
import { Prisma, type DatasetRow, type Transaction } from '../store/index.ts'
import { checkName, isStorableText } from './check-name.ts'
import { inChunks } from './in-chunks.ts'
import { nameStorages } from './name-storages.ts'
import { openDatasetFile } from './open-dataset-file.ts'
import { consumeUpload, openUpload } from './open-upload.ts'
import type { Platform } from './platform.ts'

export type { ImageOptions } from '../dataset/index.ts'

/** An upload to import as a dataset. */
export interface ImportDatasetInput {
  /** A new name makes version 1, a known one the next version. */
  readonly name: string
  readonly uploadId: string
  /** The label's array or column; several with commas for MULTILABEL. */
  readonly labelColumn?: string | null | undefined
  readonly featureColumns?: readonly string[] | null | undefined
  readonly sliceColumns?: readonly string[] | null | undefined
  readonly weightColumn?: string | null | undefined
  readonly idColumn?: string | null | undefined
  /** Between the fields of a CSV. */
  readonly delimiter?: string | null | undefined
  readonly images?: ImageOptions | null | undefined
  /** By column; images are divided by 255 in any case. */
  readonly preprocess?: readonly ColumnPreprocess[] | null | undefined
}

/** What is done to the values of a column before they go into a model. */
export interface ColumnPreprocess extends Preprocess {
  readonly column: string
}

/** Space of advisory locks that order the versions of a name ("ngds"). */
const VERSION_LOCKS = 0x6e676473

/** Columns of one statement. */
const ROWS = 1000

/**
 * Reads a dataset file: its columns are streamed to the store, then one transaction writes the rows. When it fails nothing is stored and
 * the upload stays, to be tried again with other options.
 * @throws AppError BAD_INPUT, NOT_FOUND, CONFLICT, DATASET_UNKNOWN_FORMAT, DATASET_CORRUPT, DATASET_NOT_FINITE, LIMIT_EXCEEDED.
 */
export async function importDataset(platform: Platform, input: ImportDatasetInput): Promise<DatasetRow> {
  const { store, limits, clock } = platform
  const name = checkName('the name of the dataset', input.name, limits.nameLength)
  await using upload = await openUpload(platform, input.uploadId)
  await using file = await openDatasetFile(upload.source, datasetOptions(platform, input), limits.checkpoint)
  checkText(file)
  const preprocess = preprocessOf(file, input.preprocess ?? [])
  const columns = await storeColumns(platform, file, preprocess)

  const write = async (tx: Transaction): Promise<DatasetRow> => {
    // The next version is the highest plus one, and two imports at once must not both take it.
    await tx.$executeRaw`select pg_advisory_xact_lock(${VERSION_LOCKS}::int, hashtext(${name}))`
    const { _max } = await tx.dataset.aggregate({ where: { name }, _max: { version: true } })
    const row = await tx.dataset.create({
      data: {
        name,
        version: (_max.version ?? 0) + 1,
        format: file.format,
        fileName: upload.row.fileName,
        fileSha256: upload.sha256,
        fileBytes: upload.row.bytes,
        rows: BigInt(file.rows),
        createdAt: clock(),
      },
    })
    await inChunks(columns, ROWS, (chunk) =>
      tx.datasetColumn.createMany({ data: chunk.map((column) => ({ ...column, datasetId: row.id })) }),
    )
    return row
  }
  const dataset = await nameStorages(store, {
    hashes: columns.map(({ storageHash }) => storageHash),
    putAgain: async (gone) => {
      for (const { index, storageHash } of columns) if (gone.has(storageHash)) await store.bytes.put(file.read(index))
    },
    write,
  })
  await consumeUpload(platform, input.uploadId)
  return dataset
}

/** What the reader of a file is told. */
export const datasetOptions = (
  { spoolDir }: Platform,
  {
    labelColumn,
    featureColumns,
    sliceColumns,
    weightColumn,
    idColumn,
    delimiter,
    images,
  }: Omit<ImportDatasetInput, 'name'>,
): DatasetOptions => ({
  labelColumn: labelColumn ?? undefined,
  featureColumns: featureColumns ?? undefined,
  sliceColumns: sliceColumns ?? undefined,
  weightColumn: weightColumn ?? undefined,
  idColumn: idColumn ?? undefined,
  delimiter: delimiter ?? undefined,
  images: images ?? undefined,
  // The upload lies there: there is room for files of its size.
  scratchDir: spoolDir,
})

/** An image's pixels are 0 to 255, and torchvision's ToTensor makes 0 to 1 of them. */
const TO_TENSOR: Preprocess = { divisor: 255 }

/** @throws AppError BAD_INPUT */
function preprocessOf(file: DatasetFile, given: readonly ColumnPreprocess[]): ReadonlyMap<string, Preprocess> {
  const found = new Map<string, Preprocess>()
  if (file.format === 'images') found.set('image', TO_TENSOR)
  for (const { column: name, divisor, mean, std } of given) {
    const column = file.columns.find((candidate) => candidate.name === name && candidate.role === 'FEATURE')
    if (column === undefined)
      throw new AppError(
        'BAD_INPUT',
        `preprocess names the column ${JSON.stringify(name)}; the features are ${file.columns
          .filter(({ role }) => role === 'FEATURE')
          .map((feature) => feature.name)
          .join(', ')}`,
      )
    const own = { ...found.get(name), ...withoutNulls({ divisor, mean, std }) }
    checkPreprocess(name, column.shape, own)
    found.set(name, own)
  }
  return found
}

const withoutNulls = (fields: Preprocess): Preprocess =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null))

async function storeColumns(
  { store }: Platform,
  file: DatasetFile,
  preprocess: ReadonlyMap<string, Preprocess>,
): Promise<Omit<Prisma.DatasetColumnCreateManyInput, 'datasetId'>[]> {
  const stored: Omit<Prisma.DatasetColumnCreateManyInput, 'datasetId'>[] = []
  for (const [index, { name, role, dtype, shape, names }] of file.columns.entries()) {
    const { sha256 } = await store.bytes.put(file.read(index))
    const { min, max, integral } = file.statistics(index)
    stored.push({
      index,
      name,
      role,
      dtype,
      shape: [...shape],
      storageHash: sha256,
      // A column without rows has no smallest value.
      min: Number.isFinite(min) ? min : null,
      max: Number.isFinite(max) ? max : null,
      integral,
      names: [...(names ?? [])],
      preprocess: (preprocess.get(name) as Prisma.InputJsonObject | undefined) ?? Prisma.DbNull,
    })
  }
  return stored
}

function checkText({ columns }: DatasetFile): void {
  for (const { name, names } of columns) {
    if (!isStorableText(name))
      throw new AppError(
        'DATASET_CORRUPT',
        `the column name ${JSON.stringify(name)} has characters that are no text; rename it`,
      )
    const unstorable = (names ?? []).find((value) => !isStorableText(value))
    if (unstorable !== undefined)
      throw new AppError(
        'DATASET_CORRUPT',
        `column ${name} holds ${JSON.stringify(unstorable)}, which has characters that are no text; rename it`,
      )
  }
}
