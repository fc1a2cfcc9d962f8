import { createHash } from 'node:crypto'

/** What says which bytes a tensor's values are. */
export interface StoredView {
  readonly storageHash: string
  readonly dtype: string
  readonly shape: readonly (number | bigint)[]
  readonly stride: readonly (number | bigint)[]
  readonly storageOffset: number | bigint
}

/** The key under which statistics are stored: views with the same one have the same values in the same order. */
export function viewHash({ storageHash, dtype, shape, stride, storageOffset }: StoredView): string {
  const text = [storageHash, dtype, shape.join(','), stride.join(','), String(storageOffset)].join(';')
  return createHash('sha256').update(text).digest('hex')
}
