import type { ZipEntry } from '../../container/index.ts'
import { quoted } from '../../container/index.ts'
import { corrupt, type PersistentLoad } from '../pickle/machine-state.ts'
import type { PickleStorage } from '../pickle/pickle-value.ts'
import { parseStorageId, sameStorage } from '../storage-id.ts'
import type { StorageEntry } from '../value-tree.ts'
import type { TorchArchive } from './archive.ts'

/** The storages that a pickle names, each with the zip entry that holds its bytes. */
export interface StorageTable {
  readonly storages: StorageEntry[]
  readonly entries: ZipEntry[]
  readonly persistentLoad: PersistentLoad
}

/**
 * Resolves the persistent ids of torch.save's zip format, `('storage', StorageClass, key, location, numel)`: the record
 * `data/<key>` must exist and have numel elements exactly (PyTorch 1.13 read out of bounds otherwise).
 */
export function storageTable(archive: TorchArchive): StorageTable {
  const storages: StorageEntry[] = []
  const entries: ZipEntry[] = []
  const byKey = new Map<string, PickleStorage & { readonly location: string }>()
  return {
    storages,
    entries,
    persistentLoad(machine, id) {
      const declared = parseStorageId(machine, id, 5)
      const { key, dtype, byteLength, location } = declared
      const known = byKey.get(key)
      if (known) {
        if (!sameStorage(known, declared))
          throw corrupt(
            machine,
            `the storage ${quoted(key)} is named twice, with different types, lengths or locations`,
          )
        return known
      }
      const entry = archive.records.get(`data/${key}`)
      if (!entry) throw corrupt(machine, `the record ${quoted(`data/${key}`)} is missing in the zip`)
      if (entry.size !== byteLength)
        throw corrupt(
          machine,
          `the storage ${quoted(key)} should have ${byteLength} bytes (${declared.class}), its record has ${entry.size}`,
        )
      const storage = {
        kind: 'storage',
        index: storages.length,
        dtype,
        start: 0,
        byteLength,
        class: declared.class,
        location,
      } as const
      byKey.set(key, storage)
      entries.push(entry)
      storages.push({ key, dtype, byteLength, location })
      return storage
    },
  }
}
