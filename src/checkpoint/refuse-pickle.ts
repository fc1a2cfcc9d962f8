import type { ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { CheckpointLimits } from './limits.ts'
import { dangerOf } from './pickle/danger.ts'
import { STORAGE_DTYPES } from './pickle/globals.ts'
import { corrupt, type PersistentLoad } from './pickle/machine-state.ts'
import { readPickle } from './pickle/machine.ts'
import { refusalOf } from './pickle/refuse-foreign.ts'

/** The first pickle of torch.save's format before 1.6: the number 0x1950a86a20f9469cfc6c, by protocol 2. */
const LEGACY_MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex')
/** Magic number, protocol version, system information, and the saved object. */
const LEGACY_OBJECT = 3

/** Such a pickle is read for its names only: its storages are of the right type, and as large as anything asks. */
const anyStorage: PersistentLoad = (machine, id) => {
  const cls = typeof id === 'object' && id?.kind === 'tuple' ? id.items[1] : undefined
  const path = typeof cls === 'object' && cls?.kind === 'global' ? cls.path : ''
  const dtype = STORAGE_DTYPES.get(path)
  if (dtype === undefined) throw corrupt(machine, 'a persistent id that names no storage')
  return { kind: 'storage', index: 0, dtype, byteLength: Number.MAX_SAFE_INTEGER, class: path }
}

/**
 * Refuses files that are a bare pickle: PyTorch's old format, and `pickle.dump`. What they name is looked at first, because
 * a file that would run a command when Python opens it should be called what it is.
 */
export async function refusePickle(source: ByteSource, head: Uint8Array, limits: CheckpointLimits): Promise<void> {
  const legacy = Buffer.compare(head.subarray(0, LEGACY_MAGIC.length), LEGACY_MAGIC) === 0
  // Text protocols have no signature: those that name something dangerous are caught below, the others are unknown files.
  const binary = head[0] === 0x80 && head[1]! >= 1 && head[1]! <= 5
  const bytes = await source.read(0, Math.min(source.size, limits.pickle.maxBytes))
  let start = 0
  for (let i = 0; i <= (legacy ? LEGACY_OBJECT : 0); i++) {
    const pickle = readPickle(bytes, { where: source.name, limits, persistentLoad: anyStorage, start })
    const refusal = refusalOf(pickle, source.name, source.name)
    const harmful = pickle.foreign.some((name) => dangerOf(name) !== undefined && name.name !== '_load_from_bytes')
    if (refusal && (harmful || (binary && refusal.code === 'CHECKPOINT_WHOLE_MODULE'))) throw refusal
    start = pickle.end
  }
  if (legacy)
    throw new AppError(
      'CHECKPOINT_UNSUPPORTED',
      `${source.name}: the file is in the format of PyTorch before 1.6 (or _use_new_zipfile_serialization=False), which is not ` +
        `read yet. In Python: torch.save(torch.load(path, weights_only=True), new_path), and upload the new file; or save as safetensors.`,
    )
  if (binary)
    throw new AppError(
      'CHECKPOINT_UNKNOWN_FORMAT',
      `${source.name}: the file is a plain Python pickle (pickle.dump, joblib), not a file of torch.save. In Python: ` +
        `torch.save(pickle.load(open(path, 'rb')), new_path) if you trust it, and upload the new file.`,
    )
}
