import type { ZipEntry } from '../../container/index.ts'
import { quoted } from '../../container/index.ts'
import { itemSize } from '../../tensor/index.ts'
import { integerOf, ofKind, positional, stringOf } from '../pickle/arguments.ts'
import { STORAGE_DTYPES } from '../pickle/globals.ts'
import { corrupt, unsupported, type PersistentLoad, type PickleMachine } from '../pickle/machine-state.ts'
import type { PickleStorage, PickleValue } from '../pickle/pickle-value.ts'
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
      const declared = parseId(machine, id)
      const { key, dtype, byteLength, location } = declared
      const known = byKey.get(key)
      if (known) {
        if (known.class !== declared.class || known.byteLength !== byteLength || known.location !== location)
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

interface DeclaredStorage extends StorageEntry {
  readonly class: string
}

function parseId(machine: PickleMachine, id: PickleValue): DeclaredStorage {
  const [kind, cls, key, location, numel] = positional(machine, 'a persistent id', id, 5)
  if (kind !== 'storage') throw corrupt(machine, 'a persistent id that names no storage')
  const { path } = ofKind(machine, cls, 'global', 'the class of a storage')
  const dtype = STORAGE_DTYPES.get(path)
  if (dtype === undefined) throw corrupt(machine, `a storage of the class ${path}, which is no storage class`)
  if (dtype === 'quint4x2' || dtype === 'quint2x4')
    throw unsupported(
      machine,
      `a quantized tensor of less than a byte an element (${path}); dequantize it before torch.save`,
    )
  const elements = integerOf(machine, numel, 'the length of a storage')
  const byteLength = elements * itemSize(dtype)
  if (elements < 0 || !Number.isSafeInteger(byteLength)) throw corrupt(machine, `a storage of ${elements} elements`)
  return {
    class: path,
    key: stringOf(machine, key, 'the key of a storage'),
    dtype,
    byteLength,
    location: stringOf(machine, location, 'the location of a storage'),
  }
}
