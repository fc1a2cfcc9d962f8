import type { ByteSource } from '../container/index.ts'
import { DEFAULT_CHECKPOINT_LIMITS, type CheckpointLimits } from './limits.ts'
import { readSafetensors } from './read-safetensors.ts'
import { recognise } from './recognise.ts'
import { readTorchLegacy } from './torch-legacy/read-torch-legacy.ts'
import { readTorchZip } from './torch-zip/read-torch-zip.ts'
import type { Checkpoint } from './value-tree.ts'

/**
 * Opens a checkpoint without executing anything in it: reads its directory and its value tree, and checks that every
 * tensor lies inside of its storage. Storages are read later, as streams.
 * The checkpoint takes over the source: disposing it disposes the source. When this throws, the source is still the caller's.
 * @throws AppError CHECKPOINT_UNKNOWN_FORMAT, CHECKPOINT_CORRUPT, CHECKPOINT_UNSAFE_GLOBAL, CHECKPOINT_WHOLE_MODULE,
 * CHECKPOINT_UNSUPPORTED, LIMIT_EXCEEDED.
 */
export async function readCheckpoint(
  source: ByteSource,
  limits: CheckpointLimits = DEFAULT_CHECKPOINT_LIMITS,
): Promise<Checkpoint> {
  const format = await recognise(source, limits)
  switch (format) {
    case 'torch-zip':
      return readTorchZip(source, limits)
    case 'torch-legacy':
      return readTorchLegacy(source, limits)
    case 'safetensors':
      return readSafetensors(source, limits)
    default:
      return format satisfies never
  }
}
