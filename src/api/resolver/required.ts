import type DataLoader from 'dataloader'
import { invariant } from '../../error.ts'

/** The row that a foreign key names: it is there. */
export async function required<Row>(loader: DataLoader<string, Row | null>, id: string): Promise<Row> {
  const row = await loader.load(id)
  invariant(row !== null, `no row ${id} behind a foreign key`)
  return row
}
