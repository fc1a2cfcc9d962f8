import { entryBytes, readZipDirectory, type ByteSource } from '../container/index.ts'
import { CHECKPOINT_CODES } from './checkpoint-codes.ts'
import { DEFAULT_CHECKPOINT_LIMITS, type CheckpointLimits } from './limits.ts'
import { dangerOf } from './pickle/danger.ts'
import { isAllowedGlobal, STORAGE_DTYPES } from './pickle/globals.ts'
import { corrupt, type PersistentLoad } from './pickle/machine-state.ts'
import { readPickle } from './pickle/machine.ts'
import type { GlobalReference } from './value-tree.ts'

/** A name in a pickle, and what it means that it is there. */
export interface ScannedGlobal extends GlobalReference {
  /** Whether it is on the closed list. */
  readonly allowed: boolean
  /** What it could do to a program that loads the file: a verb phrase; null for what is only data or unknown. */
  readonly danger: string | null
}

/** More pickles in a row than any format has. */
const MAX_PICKLES = 8

/** The names are wanted, not the storages: each is of the right type, and as large as anything asks. */
const anyStorage: PersistentLoad = (machine, id) => {
  const cls = typeof id === 'object' && id?.kind === 'tuple' ? id.items[1] : undefined
  const path = typeof cls === 'object' && cls?.kind === 'global' ? cls.path : ''
  const dtype = STORAGE_DTYPES.get(path)
  if (dtype === undefined) throw corrupt(machine, 'a persistent id that names no storage')
  return { kind: 'storage', index: 0, dtype, start: 0, byteLength: Number.MAX_SAFE_INTEGER, class: path }
}

/** What the closed list says of a name. */
export const scannedGlobal = (reference: GlobalReference): ScannedGlobal => ({
  ...reference,
  allowed: isAllowedGlobal(`${reference.module}.${reference.name}`),
  danger: dangerOf(reference) ?? null,
})

/**
 * Every name in the pickles of a file, also of one that `readCheckpoint` refuses: the pickle of a torch zip, or a bare one. Nothing is
 * executed. What cannot be read ends the list.
 */
export async function scanGlobals(
  source: ByteSource,
  limits: CheckpointLimits = DEFAULT_CHECKPOINT_LIMITS,
): Promise<readonly ScannedGlobal[]> {
  const found = new Map<string, ScannedGlobal>()
  for (const bytes of await picklesOf(source, limits)) {
    let start = 0
    for (let i = 0; i < MAX_PICKLES && start < bytes.length; i++) {
      const pickle = readPickle(bytes, { where: source.name, limits, persistentLoad: anyStorage, start })
      for (const reference of pickle.globals) {
        const path = `${reference.module}.${reference.name}`
        if (!found.has(path)) found.set(path, scannedGlobal(reference))
      }
      if (pickle.failure !== undefined) break
      start = pickle.end
    }
  }
  return [...found.values()]
}

async function picklesOf(source: ByteSource, limits: CheckpointLimits): Promise<readonly Uint8Array[]> {
  const head = await source.read(0, Math.min(4, source.size))
  if (Buffer.compare(head, Buffer.from('PK\x03\x04')) !== 0)
    return [await source.read(0, Math.min(source.size, limits.pickle.maxBytes))]
  const options = { ...CHECKPOINT_CODES, limits: limits.zip }
  try {
    const entries = await readZipDirectory(source, options)
    const pickles = entries.filter(({ name, size }) => /(^|\/)data\.pkl$/.test(name) && size <= limits.pickle.maxBytes)
    return await Promise.all(pickles.slice(0, MAX_PICKLES).map((entry) => entryBytes(source, entry, options)))
  } catch {
    return []
  }
}
