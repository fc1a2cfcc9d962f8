import { quoted } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { Column, ColumnRole } from './columns.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import { float64Pieces, int64Bytes, scratchPieces, type Scratch, type ScratchFile } from './scratch-file.ts'
import { BadCell, extent, type Stage, type StagedColumn } from './staged-column.ts'
import { cellText, type Table } from './table.ts'
import { labelNameSet } from './text-labels.ts'

/** Rows of a piece: 1 MiB of eight bytes each. */
const PIECE_ROWS = 1 << 17

/** What is different for labels, weights and slices. */
export interface ScalarOptions {
  readonly role: Exclude<ColumnRole, 'FEATURE' | 'ID'>
  /** Whether a row may have no value: NaN, or the name ''. */
  readonly missing: boolean
  /** Whether text is no name. */
  readonly numbersOnly: boolean
  /** Whether the column is left out when it has too many names, because nobody asked for it. */
  readonly inferred: boolean
}

/** A staged column, or the columns that several labels are put together from. */
export interface StagedScalar extends StagedColumn {
  /** Values as float64, where they are numbers. */
  readonly values: ScratchFile
}

/** A stage of one column. */
export interface ScalarStage extends Stage {
  finish(): StagedScalar | null
}

/**
 * A column of one value each. They are numbers when every one is, else text: then `nan` and `none` are names too.
 * Numbers are int64 where all are whole, else float64; text is int64 codes.
 */
export function stageScalar(
  table: Table,
  index: number,
  scratch: Scratch,
  limits: DatasetLimits,
  { role, missing, numbersOnly, inferred }: ScalarOptions,
): ScalarStage {
  const name = table.names[index]!
  const [values, codes] = [scratch.file(), scratch.file()]
  const names = labelNameSet(`column ${quoted(name)}`, limits)
  const codeOf = new Map<string, number>()
  const seen = extent()
  let numeric = true
  let empty: number | null = null
  let notFinite: { readonly row: number; readonly text: string } | null = null
  let someMissing = false
  // Numbers may be of any count; that they are too many names only matters if text comes after them.
  let refusal: AppError | null = null
  let dropped = false

  return {
    async take(batch, firstRow) {
      if (dropped) return
      const cells = await batch.cells(index)
      const numbers = new Float64Array(batch.rows)
      const own = new Uint32Array(batch.rows)
      for (let i = 0; i < batch.rows; i++) {
        const cell = cells[i]
        const text = cellText(cell)
        const value = text === '' ? NaN : table.numberOf(cell)
        if (text === '') {
          empty ??= firstRow + i
          someMissing = true
        } else if (value === null) {
          if (numbersOnly)
            throw new BadCell(firstRow + i, name, 'DATASET_CORRUPT', `: ${quoted(text, 60)} is no number`)
          numeric = false
        } else if (Number.isNaN(value)) {
          notFinite ??= { row: firstRow + i, text }
          someMissing = true
        } else seen.see(value)
        numbers[i] = value ?? NaN
        let code = codeOf.get(text)
        if (code === undefined && refusal === null) {
          refusal = names.add(text)
          code = codeOf.size
          codeOf.set(text, code)
        }
        own[i] = code ?? 0
      }
      if (!numeric && refusal !== null) {
        if (!inferred) throw refusal
        dropped = true
        return
      }
      await values.append(new Uint8Array(numbers.buffer))
      // No names are needed of numbers that are too many to be names.
      if (refusal === null) await codes.append(new Uint8Array(own.buffer))
    },
    finish() {
      if (dropped) return null
      if (!missing && empty !== null) throw missingCell(role, empty, name, '')
      if (!numeric) return named()
      if (!missing && notFinite !== null) throw missingCell(role, notFinite.row, name, notFinite.text)
      const statistics = seen.statistics()
      const whole = statistics.integral && !someMissing
      const column: Column = { name, role, dtype: whole ? 'int64' : 'float64', shape: [] }
      return { column, statistics, values, read: () => float64Pieces(values, whole) }
    },
  }

  function named(): StagedScalar {
    const sorted = names.sorted()
    const broken = sorted.find((text) => text.includes('\ufffd'))
    if (broken !== undefined)
      throw new AppError(
        'DATASET_CORRUPT',
        `column ${quoted(name)}: the label ${quoted(broken)} is not UTF-8 text; save the file as UTF-8`,
      )
    const place = new Map(sorted.map((text, at) => [text, BigInt(at)]))
    const order = [...codeOf.keys()].map((text) => place.get(text)!)
    return {
      column: { name, role, dtype: 'int64', shape: [], names: sorted },
      statistics: { min: 0, max: sorted.length - 1, integral: true },
      values,
      async *read() {
        for await (const piece of scratchPieces(codes, 4, 4 * PIECE_ROWS)) {
          const out = new BigInt64Array(piece.length / 4)
          new Uint32Array(piece.buffer).forEach((code, i) => (out[i] = order[code]!))
          yield new Uint8Array(out.buffer)
        }
      },
    }
  }
}

function missingCell(role: ColumnRole, row: number, name: string, text: string): BadCell {
  const what = role.toLowerCase()
  const problem = text === '' ? `the ${what} is missing` : `the ${what} is ${quoted(text, 60)}`
  return new BadCell(row, name, 'DATASET_NOT_FINITE', `: ${problem}; replace or drop such rows`)
}

/** Several label columns, which have to be numbers, side by side. */
export function besides(labels: readonly StagedScalar[]): StagedColumn {
  const whole = labels.every(({ column }) => column.dtype === 'int64')
  const width = labels.length
  return {
    column: {
      name: labels.map(({ column }) => column.name).join(','),
      role: 'LABEL',
      dtype: whole ? 'int64' : 'float64',
      shape: [width],
    },
    statistics: {
      min: Math.min(...labels.map(({ statistics }) => statistics.min)),
      max: Math.max(...labels.map(({ statistics }) => statistics.max)),
      integral: labels.every(({ statistics }) => statistics.integral),
    },
    async *read() {
      const rows = labels[0]!.values.size() / 8
      const step = Math.max(1, Math.floor(PIECE_ROWS / width))
      for (let first = 0; first < rows; first += step) {
        const count = Math.min(step, rows - first)
        const own = new Float64Array(count)
        const all = new Float64Array(count * width)
        for (const [k, { values }] of labels.entries()) {
          await values.read(first * 8, new Uint8Array(own.buffer))
          for (let i = 0; i < count; i++) all[i * width + k] = own[i]!
        }
        yield whole ? int64Bytes(all) : new Uint8Array(all.buffer)
      }
    },
  }
}
