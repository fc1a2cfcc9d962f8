import { quoted } from '../container/index.ts'
import { numel, type Shape } from '../tensor/index.ts'
import type { ColumnRole } from './columns.ts'
import { float64Pieces, scratchPieces, type Scratch } from './scratch-file.ts'
import { BadCell, extent, type Stage, type StagedColumn } from './staged-column.ts'
import { cellText, isList, type Table } from './table.ts'

/** Levels of lists in a cell. */
const MAX_RANK = 8
/** Numbers of one cell: an image of 4096² pixels in three colours has fewer. */
const MAX_NUMBERS = 2 ** 26

/** A column whose cells are arrays of numbers, nested or not, all of the same shape: float32, and labels int64 or float64. */
export function stageList(table: Table, index: number, role: ColumnRole, scratch: Scratch): Stage {
  const file = scratch.file()
  const name = table.names[index]!
  const seen = extent()
  let shape: Shape | null = null
  const feature = role === 'FEATURE'

  function numbersOf(cell: unknown, row: number): Float64Array {
    const found = shapeOf(cell)
    shape ??= found
    if (found === null || numel(found) > MAX_NUMBERS)
      throw new BadCell(row, name, 'DATASET_CORRUPT', `: ${quoted(cellText(cell), 60)} is no array of numbers`)
    if (found.join() !== shape!.join())
      throw new BadCell(
        row,
        name,
        'DATASET_CORRUPT',
        `: the array is [${found.join(', ')}], those before are [${shape!.join(', ')}]`,
      )
    const numbers = new Float64Array(numel(found))
    let at = 0
    const visit = (value: unknown, level: number): void => {
      if (level === found.length) {
        const number = table.numberOf(value)
        const stored = feature ? Math.fround(number ?? NaN) : (number ?? NaN)
        if (!Number.isFinite(stored))
          throw new BadCell(
            row,
            name,
            'DATASET_NOT_FINITE',
            ` has ${quoted(cellText(value), 60)} in its array; replace or drop such rows`,
          )
        seen.see(stored)
        numbers[at++] = stored
        return
      }
      if (!isList(value) || value.length !== found[level])
        throw new BadCell(row, name, 'DATASET_CORRUPT', ': the arrays in it are of different lengths')
      for (let i = 0; i < value.length; i++) visit(value[i], level + 1)
    }
    visit(cell, 0)
    return numbers
  }

  return {
    async take(batch, firstRow) {
      const cells = await batch.cells(index)
      for (let i = 0; i < batch.rows; i++) {
        const numbers = numbersOf(cells[i], firstRow + i)
        await file.append(new Uint8Array(feature ? Float32Array.from(numbers).buffer : numbers.buffer))
      }
    },
    finish(): StagedColumn {
      const statistics = seen.statistics()
      const whole = !feature && statistics.integral
      return {
        column: { name, role, dtype: feature ? 'float32' : whole ? 'int64' : 'float64', shape: shape ?? [] },
        statistics,
        read: () => (whole ? float64Pieces(file, true) : scratchPieces(file, 8)),
      }
    },
  }
}

/** Lengths of nested arrays by their first elements; null when it is no array, or too deep. */
function shapeOf(cell: unknown): Shape | null {
  const shape: number[] = []
  let value = cell
  while (isList(value)) {
    shape.push(value.length)
    if (shape.length > MAX_RANK || value.length === 0) return null
    value = value[0]
  }
  return shape.length === 0 ? null : shape
}
