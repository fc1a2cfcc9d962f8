import { quoted } from '../container/index.ts'
import type { ColumnStatistics } from './columns.ts'
import type { Scratch, ScratchFile } from './scratch-file.ts'
import { BadCell, type Stage, type StagedColumn } from './staged-column.ts'
import { cellText, type Table, type TableBatch } from './table.ts'

/** Bytes of a batch up to which it is written row by row. */
const ROW_MAJOR_BYTES = 16 * 2 ** 20
/** Bytes that are put in order at once. */
const TURNED_BYTES = 16 * 2 ** 20
const PIECE_BYTES = 1 << 20

/** Rows as they lie in the file: all of a row together, or, of large batches, all of a column. */
interface Block {
  readonly offset: number
  readonly rows: number
  readonly byColumn: boolean
}

/** Columns of one number each, as one float32 feature of so many. */
export function stageFeatures(table: Table, name: string, columns: readonly number[], scratch: Scratch): Stage {
  const file = scratch.file()
  const blocks: Block[] = []
  const width = columns.length
  let [min, max, integral] = [Infinity, -Infinity, true]

  /** Fills every `step`-th place. */
  async function fill(batch: TableBatch, column: number, into: Float32Array, step: number): Promise<number> {
    const numbers = await batch.numbers(column)
    const { rows } = batch
    // In variables of its own, which are kept in registers.
    let [low, high, whole, bad] = [min, max, integral, -1]
    for (let i = 0, at = 0; i < rows; i++, at += step) {
      const value = Math.fround(numbers[i]!)
      if (value < low) low = value
      if (value > high) high = value
      if (whole && value !== Math.floor(value)) whole = false
      // NaN − NaN and ∞ − ∞ are NaN.
      if (value - value !== 0 && bad === -1) bad = i
      into[at] = value
    }
    ;[min, max, integral] = [low, high, whole]
    return bad
  }

  return {
    async take(batch, firstRow) {
      const byColumn = batch.rows * width * 4 > ROW_MAJOR_BYTES
      blocks.push({ offset: file.size(), rows: batch.rows, byColumn })
      const values = new Float32Array(batch.rows * (byColumn ? 1 : width))
      let first: { readonly row: number; readonly column: number } | null = null
      for (const [at, column] of columns.entries()) {
        const bad = await fill(batch, column, byColumn ? values : values.subarray(at), byColumn ? 1 : width)
        if (bad !== -1 && (first === null || bad < first.row)) first = { row: bad, column }
        if (byColumn) await file.append(new Uint8Array(values.buffer))
      }
      if (first !== null)
        throw badFeature(table, first.column, firstRow + first.row, (await batch.cells(first.column))[first.row])
      if (!byColumn) await file.append(new Uint8Array(values.buffer))
    },
    finish: (): StagedColumn => ({
      column: { name, role: 'FEATURE', dtype: 'float32', shape: [width] },
      statistics: (min <= max ? { min, max, integral } : { min: 0, max: 0, integral: true }) satisfies ColumnStatistics,
      async *read() {
        for (const block of blocks) yield* block.byColumn ? turned(file, block, width) : rowsOf(file, block, width)
      },
    }),
  }
}

async function* rowsOf(file: ScratchFile, { offset, rows }: Block, width: number): AsyncGenerator<Uint8Array> {
  const step = Math.max(1, Math.floor(PIECE_BYTES / (4 * width)))
  for (let row = 0; row < rows; row += step) {
    const piece = new Uint8Array(Math.min(step, rows - row) * width * 4)
    await file.read(offset + row * width * 4, piece)
    yield piece
  }
}

async function* turned(file: ScratchFile, { offset, rows }: Block, width: number): AsyncGenerator<Uint8Array> {
  const step = Math.max(1, Math.floor(TURNED_BYTES / (4 * width)))
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first)
    const own = new Float32Array(count)
    const all = new Float32Array(count * width)
    for (let column = 0; column < width; column++) {
      await file.read(offset + (column * rows + first) * 4, new Uint8Array(own.buffer))
      for (let i = 0, at = column; i < count; i++, at += width) all[at] = own[i]!
    }
    const bytes = new Uint8Array(all.buffer)
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES)
  }
}

function badFeature(table: Table, column: number, row: number, cell: unknown): BadCell {
  const name = table.names[column]!
  const text = cellText(cell)
  if (table.numberOf(cell) === null)
    return new BadCell(
      row,
      name,
      'DATASET_CORRUPT',
      `: ${quoted(text, 60)} is no number; encode text as numbers, or choose featureColumns without it`,
    )
  const problem = text === '' ? 'is missing' : `is ${quoted(text, 60)}, not a finite float32 number`
  return new BadCell(row, name, 'DATASET_NOT_FINITE', ` ${problem}; replace or drop such rows`)
}
