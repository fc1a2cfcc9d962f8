import { fileRows, rowBytes, type RowReader } from '../evaluation/index.ts'
import type { RunPlan } from '../usecase/index.ts'
import type { ArrivingFile, BlobLease } from './blob-cache/index.ts'

/** The columns of a run. Dispose it to close them. */
export interface OpenColumns extends AsyncDisposable {
  /** By column name. A row can be read as soon as its bytes are there. */
  readonly readers: ReadonlyMap<string, RowReader>
  /** Bytes that are not on this machine yet, and come while the rows are read. */
  missingBytes(): Promise<number>
  /** Resolves when every byte of every column is there and was verified. @throws what kept them away, or how they are damaged. */
  whole(): Promise<void>
}

/** Opens the columns of a plan; those that are not on this machine begin to come at once. */
export function openColumns({ columns, rows }: RunPlan, lease: BlobLease, signal: AbortSignal): OpenColumns {
  const opened = columns.map((column) => openColumn(column, rows, lease, signal))
  return {
    readers: new Map(opened.map(({ name, reader }) => [name, reader])),
    async missingBytes() {
      const files = await Promise.all(opened.map(async ({ file, bytes }) => ((await file).cached ? 0 : bytes)))
      return files.reduce((sum, bytes) => sum + bytes, 0)
    },
    async whole() {
      await Promise.all(opened.map(async ({ file }) => (await file).whole))
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(opened.map(({ close }) => close()))
    },
  }
}

interface OpenColumn {
  readonly name: string
  readonly bytes: number
  readonly reader: RowReader
  readonly file: Promise<ArrivingFile>
  readonly close: () => Promise<void>
}

function openColumn(
  column: RunPlan['columns'][number],
  rows: number,
  lease: BlobLease,
  signal: AbortSignal,
): OpenColumn {
  const { name, dtype, shape, storageHash } = column
  const file = lease.arriving(storageHash, signal)
  const opening = file.then(({ path, arrived }) => fileRows({ path, dtype, shape, rows, arrived }))
  // Reported to whoever reads.
  opening.catch(() => undefined)
  return {
    name,
    bytes: rows * rowBytes(column),
    reader: { dtype, shape, read: async (firstRow, into) => (await opening).read(firstRow, into) },
    file,
    close: async () => (await opening)[Symbol.asyncDispose](),
  }
}
