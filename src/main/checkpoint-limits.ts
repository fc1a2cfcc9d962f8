import { DEFAULT_CHECKPOINT_LIMITS, type CheckpointLimits } from '../checkpoint/index.ts'
import type { Settings } from './settings.ts'

/** Entries of a file of torch.save besides those of its storages. */
const OTHER_ENTRIES = 1024

/** The limits of checkpoint files, from the settings. */
export function checkpointLimits(settings: Settings): CheckpointLimits {
  const { zip, safetensors, pickle, tensor, sharded } = DEFAULT_CHECKPOINT_LIMITS
  return {
    zip: {
      ...zip,
      maxEntries: settings.checkpointTensors + OTHER_ENTRIES,
      maxEntryBytes: Math.max(zip.maxEntryBytes, settings.checkpointPickleBytes),
      maxInflatedBytes: settings.checkpointInflatedBytes,
      maxInflateRatio: settings.checkpointInflateRatio,
    },
    safetensors: {
      ...safetensors,
      maxTensors: settings.checkpointTensors,
      maxHeaderBytes: settings.checkpointHeaderBytes,
    },
    pickle: {
      ...pickle,
      maxBytes: settings.checkpointPickleBytes,
      maxOperations: settings.checkpointPickleOpcodes,
      maxObjects: settings.checkpointPickleObjects,
      maxMemo: settings.checkpointPickleMemo,
      maxDepth: settings.checkpointDepth,
      maxStringBytes: settings.checkpointStringBytes,
      maxIntegerBytes: settings.checkpointIntegerBytes,
    },
    tensor: {
      ...tensor,
      maxTensors: settings.checkpointTensors,
      maxExpandedBytes: settings.checkpointExpandedBytes,
    },
    sharded: { ...sharded, maxShards: settings.checkpointShards },
  }
}
