import type { StateDictEntry } from '../evaluation/index.ts'
import type { Transaction } from '../store/index.ts'
import type { Shape } from '../tensor/index.ts'
import { storedDType } from './stored-dtype.ts'

/** A tensor of a stored state_dict: a view of a storage whose bytes the store has. Offset and strides count elements. */
export interface StoredTensor extends StateDictEntry {
  readonly stride: readonly number[]
  readonly storageOffset: number
  /** SHA-256 of the storage's bytes. */
  readonly storageHash: string
}

/** The state_dict of a checkpoint by key, in file order. */
export async function loadStateDict(
  prisma: Transaction,
  checkpointId: string,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const entries = await prisma.stateDictEntry.findMany({
    where: { checkpointId },
    orderBy: { position: 'asc' },
    select: {
      key: true,
      tensor: {
        select: {
          dtype: true,
          shape: true,
          stride: true,
          storageOffset: true,
          storage: { select: { storageHash: true } },
        },
      },
    },
  })
  return new Map(
    entries.map(({ key, tensor }) => [
      key,
      {
        dtype: storedDType(tensor.dtype),
        shape: numbers(tensor.shape),
        stride: numbers(tensor.stride),
        storageOffset: Number(tensor.storageOffset),
        storageHash: tensor.storage.storageHash,
      },
    ]),
  )
}

/** Sizes were checked to be safe integers when the file was read. */
const numbers = (sizes: readonly bigint[]): Shape => sizes.map(Number)
