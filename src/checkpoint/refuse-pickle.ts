import type { ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { CheckpointLimits } from './limits.ts'
import { dangerOf } from './pickle/danger.ts'
import { STORAGE_DTYPES } from './pickle/globals.ts'
import { corrupt, type PersistentLoad } from './pickle/machine-state.ts'
import { readPickle } from './pickle/machine.ts'
import { refusalOf } from './pickle/refuse-foreign.ts'
import { readPickles } from './torch-legacy/read-pickles.ts'

/** Such a pickle is read for its names only: its storages are of the right type, and as large as anything asks. */
const anyStorage: PersistentLoad = (machine, id) => {
  const cls = typeof id === 'object' && id?.kind === 'tuple' ? id.items[1] : undefined
  const path = typeof cls === 'object' && cls?.kind === 'global' ? cls.path : ''
  const dtype = STORAGE_DTYPES.get(path)
  if (dtype === undefined) throw corrupt(machine, 'a persistent id that names no storage')
  return { kind: 'storage', index: 0, dtype, start: 0, byteLength: Number.MAX_SAFE_INTEGER, class: path }
}

/**
 * Refuses files that are a bare pickle (`pickle.dump`). What they name is looked at first, because a file that would run a
 * command when Python opens it should be called what it is.
 */
export async function refusePickle(source: ByteSource, head: Uint8Array, limits: CheckpointLimits): Promise<void> {
  // Text protocols have no signature: those that name something dangerous are caught below, the others are unknown files.
  const binary = head[0] === 0x80 && head[1]! >= 1 && head[1]! <= 5
  const bytes = await firstPickle(source, limits.pickle.maxBytes)
  const pickle = readPickle(bytes, { where: source.name, limits, persistentLoad: anyStorage })
  const refusal = refusalOf(pickle, source.name, source.name)
  const harmful = pickle.foreign.some((name) => dangerOf(name) !== undefined && name.name !== '_load_from_bytes')
  if (refusal && (harmful || (binary && refusal.code === 'CHECKPOINT_WHOLE_MODULE'))) throw refusal
  if (binary)
    throw new AppError(
      'CHECKPOINT_UNKNOWN_FORMAT',
      `${source.name}: the file is a plain Python pickle (pickle.dump, joblib), not a file of torch.save. In Python: ` +
        `torch.save(pickle.load(open(path, 'rb')), new_path) if you trust it, and upload the new file.`,
    )
}

/** The first pickle; of one that is longer than the limit, as much as the limit allows, which has names enough. */
async function firstPickle(source: ByteSource, maxBytes: number): Promise<Uint8Array> {
  try {
    return await readPickles(source, 1, maxBytes)
  } catch (error) {
    if (error instanceof AppError && error.code === 'LIMIT_EXCEEDED') return source.read(0, maxBytes)
    throw error
  }
}
