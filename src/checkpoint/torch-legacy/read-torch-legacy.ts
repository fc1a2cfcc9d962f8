import { readPieces, type ByteSource } from '../../container/index.ts'
import { AppError } from '../../error.ts'
import { disposeSource } from '../dispose-source.ts'
import type { CheckpointLimits } from '../limits.ts'
import { getEntry } from '../pickle/dict-entries.ts'
import { flatten } from '../pickle/flatten.ts'
import { readPickle, type PickleResult } from '../pickle/machine.ts'
import { typeName, type PickleValue } from '../pickle/pickle-value.ts'
import { valueOf } from '../pickle/refuse-foreign.ts'
import { requestedRange } from '../requested-range.ts'
import type { Checkpoint } from '../value-tree.ts'
import { placeStorages } from './place-storages.ts'
import { readPickles } from './read-pickles.ts'
import { legacyStorages } from './storages.ts'

/** torch/serialization.py, PROTOCOL_VERSION. */
const PROTOCOL_VERSION = 1001
/** Magic number, protocol version, system information, the object, the keys of its storages. */
const PICKLES = 5

/**
 * Reads the format of torch.save before PyTorch 1.6, which `_use_new_zipfile_serialization=False` still writes: five pickles, and
 * the storages behind them. Only the pickles are held in memory.
 */
export async function readTorchLegacy(source: ByteSource, limits: CheckpointLimits): Promise<Checkpoint> {
  const { name } = source
  const bytes = await readPickles(source, PICKLES, limits.pickle.maxBytes)
  const { storages, persistentLoad } = legacyStorages()
  const pickles: PickleResult[] = []
  let at = 0
  while (pickles.length < PICKLES) {
    const pickle = readPickle(bytes, { where: name, limits, persistentLoad, start: at })
    pickles.push(pickle)
    at = pickle.end
    if (pickle.value === undefined) break
  }
  // Five values, or an error. What any of them names comes first: a broken file that would run a command should be called what it is.
  const values = pickles.map((pickle) => valueOf(pickle, name, name))
  const [, version = null, information = null, object = null, keyList = null] = values
  if (version !== PROTOCOL_VERSION)
    throw new AppError(
      'CHECKPOINT_UNSUPPORTED',
      `${name}: the version of the format is ${typeof version === 'number' ? version : `a ${typeName(version)}`} instead of ` +
        `${PROTOCOL_VERSION}. Save it with PyTorch 2, or as safetensors.`,
    )
  const warnings = systemWarnings(name, information)
  const { tree, tensors } = flatten(object, limits.pickle, name)
  const { offsets, end } = await placeStorages(source, at, storages, keysOf(name, keyList))
  if (end < source.size)
    warnings.push(`${name}: ${source.size - end} bytes after the last storage are ignored, as torch.load does`)
  return {
    format: 'torch-legacy',
    tree,
    tensors,
    storages,
    globals: pickles.flatMap(({ globals }) => globals),
    warnings,
    readStorage(index, offset, length, into) {
      const range = requestedRange(storages, index, offset, length)
      return readPieces(source, offsets[index]! + range.start, range.end - range.start, into)
    },
    storageRange(index) {
      const start = offsets[index]
      return start === undefined ? null : { start, end: start + storages[index]!.byteLength }
    },
    [Symbol.asyncDispose]: () => disposeSource(source),
  }
}

/**
 * PyTorch writes the numbers of this format little-endian on every machine (torch/csrc/serialization.cpp,
 * THPStorage_writeFileRaw) and torch.load ignores what the system information says; so do we, and tell.
 */
function systemWarnings(name: string, information: PickleValue): string[] {
  if (typeof information !== 'object' || information?.kind !== 'dict')
    throw new AppError(
      'CHECKPOINT_CORRUPT',
      `${name}: the system information should be a dict and is a ${typeName(information)}`,
    )
  return getEntry(information, 'little_endian') === false
    ? [`${name}: saved on a big-endian machine; the numbers of this format are little-endian all the same`]
    : []
}

function keysOf(name: string, value: PickleValue): readonly string[] {
  const items = typeof value === 'object' && value?.kind === 'list' ? value.items : undefined
  if (items === undefined || !items.every((key) => typeof key === 'string'))
    throw new AppError('CHECKPOINT_CORRUPT', `${name}: the list of storages is no list of strings`)
  return items
}
