import type DataLoader from 'dataloader'
import { AppError } from '../../error.ts'

/**
 * The row that a foreign key names. It was there when the key was read; rows come by several statements, and may be deleted in between.
 * @throws AppError NOT_FOUND.
 */
export async function required<Row>(loader: DataLoader<string, Row | null>, id: string): Promise<Row> {
  const row = await loader.load(id)
  if (row === null) throw new AppError('NOT_FOUND', 'it was deleted while this was read')
  return row
}
