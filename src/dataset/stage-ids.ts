import { AppError } from '../error.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { Scratch } from './scratch-file.ts'
import type { Stage, StagedColumn } from './staged-column.ts'
import { cellText, type Table } from './table.ts'

const PIECE_BYTES = 1 << 20

/** Names of samples, of any number: UTF-8 bytes of the length of the longest, filled up with zeros. */
export function stageIds(table: Table, index: number, scratch: Scratch, limits: DatasetLimits): Stage {
  const name = table.names[index]!
  const [texts, lengths] = [scratch.file(), scratch.file()]
  const encoder = new TextEncoder()
  let longest = 1
  return {
    async take(batch, firstRow) {
      const cells = await batch.cells(index)
      const own: Uint8Array[] = []
      for (let i = 0; i < batch.rows; i++) {
        const bytes = encoder.encode(cellText(cells[i]))
        if (bytes.length > limits.maxIdBytes)
          throw new AppError(
            'LIMIT_EXCEEDED',
            `${await table.place(firstRow + i, name)}: the id has ${bytes.length} bytes, the limit is ${limits.maxIdBytes}`,
          )
        longest = Math.max(longest, bytes.length)
        own.push(bytes)
      }
      await texts.append(Buffer.concat(own))
      await lengths.append(new Uint8Array(Uint16Array.from(own, ({ length }) => length).buffer))
    },
    finish: (): StagedColumn => ({
      column: { name, role: 'ID', dtype: 'uint8', shape: [longest] },
      statistics: { min: 0, max: 255, integral: true },
      async *read() {
        const rows = lengths.size() / 2
        const step = Math.max(1, Math.floor(PIECE_BYTES / longest))
        let at = 0
        for (let first = 0; first < rows; first += step) {
          const own = new Uint16Array(Math.min(step, rows - first))
          await lengths.read(first * 2, new Uint8Array(own.buffer))
          const packed = new Uint8Array(own.reduce((sum, length) => sum + length, 0))
          await texts.read(at, packed)
          at += packed.length
          const piece = new Uint8Array(own.length * longest)
          let from = 0
          own.forEach((length, i) => {
            piece.set(packed.subarray(from, from + length), i * longest)
            from += length
          })
          yield piece
        }
      },
    }),
  }
}
