import {
  changeFloats,
  layoutSafetensors,
  layoutTorchZip,
  nodeAtPath,
  relocate,
  renameKeys,
  rootedAt,
  type FileLayout,
  type WrittenValue,
} from '../../checkpoint/index.ts'
import { AppError } from '../../error.ts'
import { applyKeyMapping, checkTargets, mapKey, mapLocation } from '../../evaluation/index.ts'
import type { DownloadOptions } from './download-options.ts'

/**
 * The file that a checkpoint is written as, of exactly known length, without reading a byte of its storages.
 * @param stateDictPath where its state_dict is; null where there is none.
 * @throws AppError BAD_INPUT, BINDING_FAILED when the key mapping makes two keys one, DEVICE_UNAVAILABLE, CHECKPOINT_UNSUPPORTED.
 */
export function planDownload(
  value: WrittenValue,
  stateDictPath: readonly string[] | null,
  { format, content, mapLocation: mapping, dtype, keyMapping }: DownloadOptions,
): FileLayout {
  let planned = value
  const needed = content === 'state_dict' || dtype !== null || keyMapping !== null
  if (needed) {
    const stateDict = stateDictPath === null ? undefined : nodeAtPath(value.tree, stateDictPath)
    if (stateDict === undefined)
      throw new AppError('BAD_INPUT', 'the checkpoint has no state_dict; only the whole of it can be written, as it is')
    if (keyMapping !== null) {
      applyKeyMapping(keysOf(value, stateDict), keyMapping)
      planned = renameKeys(planned, stateDict, (key) => mapKey(key, keyMapping))
    }
    if (dtype !== null) planned = changeFloats(planned, stateDict, dtype)
    if (content === 'state_dict') planned = rootedAt(planned, stateDict)
  }
  if (mapping !== null) {
    checkTargets(
      value.storages.map(({ location }) => location),
      mapping,
    )
    planned = relocate(planned, (tag) => mapLocation(tag, mapping))
  }
  return format === 'pth' ? layoutTorchZip(planned) : layoutSafetensors(planned)
}

function keysOf({ tree: { nodes } }: WrittenValue, stateDict: number): string[] {
  const node = nodes[stateDict]!
  if (node.kind !== 'dict' && node.kind !== 'ordered_dict') return []
  return node.entries.flatMap(([key]) => {
    const name = nodes[key]!
    return name.kind === 'string' ? [name.value] : []
  })
}
