import DataLoader from 'dataloader'
import {
  storageShares,
  storageUsers,
  type Platform,
  type StorageOwner,
  type StorageShare,
  type StorageUser,
} from '../../usecase/index.ts'

/** What is stored, and for whom: one statement each for all that is asked for at a time. */
export interface StorageLoaders {
  /** By UUID of a checkpoint, a dataset or a model. */
  readonly storageShare: Readonly<Record<StorageOwner, DataLoader<string, StorageShare>>>
  /** By SHA-256 of a storage. */
  readonly storageUsers: DataLoader<string, readonly StorageUser[]>
}

/** Users of a storage that are listed, of each kind. */
const MAX_USERS = 50

/** Loaders of storage, with an empty memory. */
export function storageLoaders(platform: Platform): StorageLoaders {
  const share = (kind: StorageOwner) => new DataLoader((ids: readonly string[]) => storageShares(platform, kind, ids))
  return {
    storageShare: { Checkpoint: share('Checkpoint'), Dataset: share('Dataset'), Model: share('Model') },
    storageUsers: new DataLoader((sha256s) => storageUsers(platform, sha256s, MAX_USERS)),
  }
}
