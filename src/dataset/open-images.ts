import { availableParallelism } from 'node:os'
import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { ArchiveEntry } from './archive.ts'
import { csvTable } from './csv-table.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { decodeImage } from './decode-image.ts'
import type { Pixels } from './pil-resize.ts'
import { scratchPieces, type Scratch, type ScratchFile } from './scratch-file.ts'
import type { StagedColumn } from './staged-column.ts'
import { batchOfCells, typedNumber, type Table, type TableBatch } from './table.ts'
import { byCodePoint } from './text-labels.ts'

/** Files that are decoded. */
export const IMAGE_NAME: RegExp = /\.(jpe?g|png|webp|gif|tiff?)$/i

/** Names of the column of a manifest that names the files, in lower case. */
const FILE_NAMES = new Set(['file', 'path', 'filename', 'file_name', 'image', 'image_path'])
/** Images that are decoded at a time. */
const AT_ONCE = availableParallelism() + 1
const BATCH_ROWS = 4096

/** Images of an archive, decoded. */
export interface StagedImages {
  /** In the order of the archive. */
  readonly names: readonly string[]
  readonly shape: readonly [channels: number, height: number, width: number]
  readonly file: ScratchFile
}

/** Decodes images as they come, and lets everything else pass to `other`. */
export async function stageImages(
  source: ByteSource,
  entries: AsyncIterable<ArchiveEntry>,
  other: (entry: ArchiveEntry) => Promise<void>,
  options: DatasetOptions,
  limits: DatasetLimits,
  scratch: Scratch,
): Promise<StagedImages> {
  const file = scratch.file()
  const names: string[] = []
  const decoding: Promise<Pixels>[] = []
  let shape = null as StagedImages['shape'] | null
  const take = async (): Promise<void> => {
    const pixels = await decoding[0]!
    const name = names[names.length - decoding.length]!
    void decoding.shift()
    const own = [pixels.channels, pixels.height, pixels.width] as const
    shape ??= own
    if (own.join() !== shape.join())
      throw new AppError(
        'DATASET_SHAPE_MISMATCH',
        `${source.name}: ${quoted(name)} is [${own.join(', ')}], those before are [${shape.join(', ')}]; give a size to resize or crop them to`,
      )
    await file.append(pixels.data)
  }
  try {
    for await (const entry of entries) {
      if (!IMAGE_NAME.test(entry.name)) {
        await other(entry)
        continue
      }
      const bytes = await bytesOf(source, entry, limits)
      const where = `${source.name}: ${quoted(entry.name)}`
      names.push(entry.name)
      const decoded = decodeImage(where, bytes, options.images ?? {}, limits)
      decoded.catch(() => undefined)
      decoding.push(decoded)
      if (decoding.length >= AT_ONCE) await take()
      if (names.length >= (options.rows ?? Infinity)) break
    }
    while (decoding.length > 0) await take()
  } finally {
    await Promise.allSettled(decoding)
  }
  if (shape === null) throw new AppError('DATASET_CORRUPT', `${source.name} holds no images`)
  return { names, shape, file }
}

async function bytesOf(source: ByteSource, entry: ArchiveEntry, limits: DatasetLimits): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const piece of entry.pieces()) {
    bytes += piece.length
    if (bytes > limits.maxImageBytes)
      throw new AppError(
        'LIMIT_EXCEEDED',
        `${source.name}: ${quoted(entry.name)} has more than ${limits.maxImageBytes} bytes`,
      )
    parts.push(piece)
  }
  return Buffer.concat(parts)
}

/** The images of a table's rows as a column. @param order which image each row has. */
export function imageColumn({ shape, file }: StagedImages, order: readonly number[]): StagedColumn {
  const size = shape[0] * shape[1] * shape[2]
  return {
    column: { name: 'image', role: 'FEATURE', dtype: 'uint8', shape },
    statistics: { min: 0, max: 255, integral: true },
    async *read() {
      if (order.every((image, row) => image === row)) {
        yield* limitedTo(scratchPieces(file, 1), order.length * size)
        return
      }
      for (const image of order) {
        const bytes = new Uint8Array(size)
        await file.read(image * size, bytes)
        yield bytes
      }
    },
  }
}

async function* limitedTo(pieces: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes
  for await (const piece of pieces) {
    if (left <= 0) return
    yield piece.subarray(0, left)
    left -= piece.length
  }
}

/** What is known of each image besides its pixels, as a table, and which image each row has. */
export interface ImageTable {
  readonly table: Table
  readonly order: readonly number[]
}

/** Class folders: the name of the folder that an image lies in is its label. */
export function folderTable(source: ByteSource, { names }: StagedImages): ImageTable {
  const folders = names.map((name) => name.split('/').at(-2) ?? '')
  if (folders.includes(''))
    throw new AppError(
      'BAD_INPUT',
      `${source.name}: ${quoted(names[folders.indexOf('')]!)} lies in no folder; put images into a folder for each class, or add a CSV with the columns file and label`,
    )
  // As torchvision's ImageFolder: classes in order of their names, then files.
  const order = names.map((_, i) => i).sort((a, b) => byCodePoint(names[a]!, names[b]!))
  const columns = [order.map((i) => names[i]!), order.map((i) => folders[i]!)]
  return { table: memoryTable(source, ['id', 'label'], columns), order }
}

/**
 * The rows of a manifest.
 * @throws AppError BAD_INPUT when no column names the files, DATASET_CORRUPT for a file that is not there.
 */
export async function manifestTable(
  source: ByteSource,
  manifest: ByteSource,
  { names }: StagedImages,
  options: DatasetOptions,
  limits: DatasetLimits,
): Promise<ImageTable> {
  const table = await csvTable(manifest, options, limits)
  const at = table.names.findIndex((name) => FILE_NAMES.has(name.toLowerCase()))
  if (at === -1)
    throw new AppError(
      'BAD_INPUT',
      `${source.name}: ${manifest.name} has no column called file; it has ${table.names.join(', ')}`,
    )
  const folder = manifest.name.includes('/') ? manifest.name.slice(0, manifest.name.lastIndexOf('/') + 1) : ''
  const index = new Map(names.map((name, i) => [name, i]))
  const columns: unknown[][] = table.names.map(() => [])
  const order: number[] = []
  for await (const batch of table.batches(table.names.map((_, i) => i)))
    for (const [i, cells] of columns.entries()) {
      const own = Array.from(await batch.cells(i))
      // One by one: there may be more than a call takes.
      for (const cell of own) cells.push(cell)
      if (i !== at) continue
      for (const cell of own) {
        const name = String(cell).replace(/^\.?\//, '')
        const image = index.get(folder + name) ?? index.get(name)
        if (image === undefined && options.rows === undefined)
          throw new AppError(
            'DATASET_CORRUPT',
            `${source.name}: ${manifest.name} names ${quoted(name)}, which is not in the archive`,
          )
        order.push(image ?? 0)
      }
    }
  const named = table.names.map((name, i) => (i === at ? 'id' : name))
  return { table: { ...memoryTable(source, named, columns), numberOf: (cell) => table.numberOf(cell) }, order }
}

/** A table of columns in memory: names and labels of images, of which there are fewer than rows of numbers. */
function memoryTable(source: ByteSource, names: readonly string[], columns: readonly (readonly unknown[])[]): Table {
  const rows = columns[0]!.length
  return {
    format: 'images',
    names,
    numberOf: typedNumber,
    place: (row, name) => Promise.resolve(`${source.name}: image ${row}, ${quoted(name)}`),
    async *batches() {
      for (let first = 0; first < rows; first += BATCH_ROWS)
        yield await Promise.resolve<TableBatch>(
          batchOfCells(
            Math.min(BATCH_ROWS, rows - first),
            (index, count) => columns[index]!.slice(first, first + count),
            typedNumber,
          ),
        )
    },
  }
}
