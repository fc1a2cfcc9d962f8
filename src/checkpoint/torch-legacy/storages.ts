import { quoted } from '../../container/index.ts'
import { itemSize } from '../../tensor/index.ts'
import { integerOf, positional, stringOf } from '../pickle/arguments.ts'
import { corrupt, type PersistentLoad, type PickleMachine } from '../pickle/machine-state.ts'
import { isForeign, type PickleStorage, type PickleValue } from '../pickle/pickle-value.ts'
import { parseStorageId, sameStorage, type DeclaredStorage } from '../storage-id.ts'
import type { StorageEntry } from '../value-tree.ts'

/** The storages that the object's pickle names; their bytes come behind the pickles. */
export interface LegacyStorages {
  readonly storages: StorageEntry[]
  readonly persistentLoad: PersistentLoad
}

/**
 * Resolves the persistent ids of torch.save's format before 1.6: `('storage', StorageClass, key, location, numel, view_metadata)`,
 * where `view_metadata` is None or `(view_key, offset, numel)` in elements, a storage that is part of another one; and
 * `('module', class, source_file, source)`, which stands for the class of a pickled module.
 */
export function legacyStorages(): LegacyStorages {
  const storages: StorageEntry[] = []
  const byKey = new Map<string, DeclaredStorage & { readonly index: number }>()
  const made = new Map<string, PickleStorage>()
  return {
    storages,
    persistentLoad(machine, id) {
      const module = moduleClass(id)
      if (module !== undefined && isForeign(module)) return module
      const declared = parseStorageId(machine, id, 6)
      const { key, dtype, byteLength, location } = declared
      const known = byKey.get(key)
      if (known !== undefined && !sameStorage(known, declared))
        throw corrupt(machine, `the storage ${quoted(key)} is named twice, with different types, lengths or locations`)
      const index = known?.index ?? storages.push({ key, dtype, byteLength, location }) - 1
      if (known === undefined) byKey.set(key, { ...declared, index })
      const part = partOf(machine, declared)
      const name = `${key}\0${part.key}`
      const same = made.get(name)
      if (same !== undefined) {
        if (same.start !== part.start || same.byteLength !== part.byteLength)
          throw corrupt(machine, `the storage view ${quoted(part.key)} is named twice, with different places`)
        return same
      }
      const { start } = part
      const storage = {
        kind: 'storage',
        index,
        dtype,
        start,
        byteLength: part.byteLength,
        class: declared.class,
      } as const
      made.set(name, storage)
      return storage
    },
  }
}

interface StoragePart {
  readonly key: string
  /** Bytes. */
  readonly start: number
  readonly byteLength: number
}

/** The part of its storage that `view_metadata` names: the whole for None. */
function partOf(machine: PickleMachine, { dtype, byteLength, rest }: DeclaredStorage): StoragePart {
  const [view] = rest
  if (view === null || view === undefined) return { key: '', start: 0, byteLength }
  const what = 'the view_metadata of a storage'
  const [key, offset, numel] = positional(machine, what, view, 3)
  const size = itemSize(dtype)
  const start = integerOf(machine, offset, what) * size
  const length = integerOf(machine, numel, what) * size
  if (!(start >= 0 && length >= 0 && start + length <= byteLength))
    throw corrupt(machine, `bytes ${start}..${start + length} are outside of a storage of ${byteLength}`)
  // An empty key would be taken for the whole storage.
  return { key: `view ${stringOf(machine, key, what)}`, start, byteLength: length }
}

function moduleClass(id: PickleValue): PickleValue | undefined {
  if (typeof id !== 'object' || id?.kind !== 'tuple' || id.items[0] !== 'module') return undefined
  return id.items[1]
}
