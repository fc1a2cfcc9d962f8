import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { Table, TableBatch } from './table.ts'

/** A shard and the table in it. */
export interface Shard {
  readonly file: ByteSource
  readonly table: Table
}

/**
 * Tables of the same columns, one after the other.
 * @throws AppError DATASET_CORRUPT when their columns differ.
 */
export function concatTables(shards: readonly Shard[]): Table {
  const [first] = shards as [Shard, ...Shard[]]
  for (const { file, table } of shards)
    if (table.format !== first.table.format || table.names.join('\0') !== first.table.names.join('\0'))
      throw new AppError(
        'DATASET_CORRUPT',
        `${quoted(file.name)} has other columns than ${quoted(first.file.name)}; shards have the same`,
      )
  /** Row of the first sample of each shard that was begun. */
  const starts: number[] = []
  return {
    ...first.table,
    async place(row, name) {
      const shard = Math.max(
        0,
        starts.findLastIndex((start) => start <= row),
      )
      return await shards[shard]!.table.place(row - (starts[shard] ?? 0), name)
    },
    async *batches(wanted): AsyncGenerator<TableBatch> {
      let rows = 0
      for (const [i, { table }] of shards.entries()) {
        starts[i] = rows
        for await (const batch of table.batches(wanted)) {
          yield batch
          rows += batch.rows
        }
      }
    },
  }
}
