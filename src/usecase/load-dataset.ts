import { AppError } from '../error.ts'
import type { DatasetColumnRow, DatasetRow } from '../store/index.ts'
import type { Platform } from './platform.ts'

/** A version of a dataset with its columns, in order. */
export type DatasetWithColumns = DatasetRow & { readonly columns: readonly DatasetColumnRow[] }

/** @throws AppError NOT_FOUND. */
export async function loadDataset({ store }: Platform, id: string): Promise<DatasetWithColumns> {
  const dataset = await store.prisma.dataset.findUnique({
    where: { id },
    include: { columns: { orderBy: { index: 'asc' } } },
  })
  if (dataset === null) throw new AppError('NOT_FOUND', 'there is no dataset with this id')
  return dataset
}
