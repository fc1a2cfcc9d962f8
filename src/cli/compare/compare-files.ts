import { createHash } from 'node:crypto'
import { findStateDicts, tensorBytes, type Checkpoint } from '../../checkpoint/index.ts'
import { AppError } from '../../error.ts'
import {
  commonBytes,
  comparedTensor,
  compareStateDicts,
  equalShare,
  needsBytes,
  tensorDistance,
  valueBytes,
  type ComparedTensor,
  type HashedTensor,
  type TensorElements,
} from '../../statistics/index.ts'
import { byteProgress, counted } from '../byte-progress.ts'
import { openCheckpointFile, type OpenCheckpointFile } from '../open-checkpoint-file.ts'
import type { ProgressStream } from '../progress-display.ts'
import type { ComparisonReport, TensorChangeReport } from './comparison-report.ts'

/** A tensor of a state_dict with its number in the file. */
interface FileTensor extends HashedTensor {
  readonly index: number
}

/**
 * Compares two files of this machine: hashes every storage, then reads those tensors side by side that differ. Memory does not grow with
 * the files.
 * @throws CliFailure, AppError as `readCheckpoint`, CHECKPOINT_UNSUPPORTED when there is no state_dict.
 */
export async function compareFiles(
  basePath: string,
  otherPath: string,
  output: ProgressStream,
  signal: AbortSignal,
): Promise<ComparisonReport> {
  await using base = await openCheckpointFile(basePath)
  await using other = await openCheckpointFile(otherPath)
  const baseHashes = await hashStorages(base, output, signal)
  const otherHashes = await hashStorages(other, output, signal)
  const otherDict = stateDictOf(other, otherHashes)
  const { added, removed, shared } = compareStateDicts(stateDictOf(base, baseHashes), otherDict)
  const differing = shared.filter(needsBytes)
  using progress = byteProgress(
    output,
    'comparing',
    differing.reduce((sum, pair) => sum + valueBytes(pair.base) + valueBytes(pair.other), 0),
  )
  const elementsOf = ({ checkpoint }: OpenCheckpointFile, { dtype, index }: FileTensor): TensorElements => ({
    dtype,
    elements: () => counted(tensorBytes(checkpoint, index), progress, signal),
  })
  const tensors: ComparedTensor[] = []
  for (const pair of shared) {
    const distance = needsBytes(pair)
      ? await tensorDistance(elementsOf(base, pair.base), elementsOf(other, pair.other))
      : null
    tensors.push(comparedTensor(pair, distance))
  }
  return {
    ...{ base: basePath, other: otherPath, added, removed },
    tensors: tensors.map(changeReport),
    equalTensors: tensors.filter(({ change }) => change === 'UNCHANGED').length,
    equalShare: equalShare(tensors, [...otherDict.values()]),
    storages: commonBytes(storagesOf(base.checkpoint, baseHashes), storagesOf(other.checkpoint, otherHashes)),
  }
}

async function hashStorages(
  { checkpoint, source }: OpenCheckpointFile,
  output: ProgressStream,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { storages } = checkpoint
  using progress = byteProgress(
    output,
    `hashing ${source.name}`,
    storages.reduce((sum, { byteLength }) => sum + byteLength, 0),
  )
  const hashes: string[] = []
  for (const index of storages.keys()) {
    const hash = createHash('sha256')
    for await (const piece of counted(checkpoint.readStorage(index), progress, signal)) hash.update(piece)
    hashes.push(hash.digest('hex'))
  }
  return hashes
}

function stateDictOf(
  { checkpoint, source }: OpenCheckpointFile,
  hashes: readonly string[],
): ReadonlyMap<string, FileTensor> {
  const [stateDict] = findStateDicts(checkpoint)
  if (stateDict === undefined)
    throw new AppError(
      'CHECKPOINT_UNSUPPORTED',
      `${source.name}: there is no state_dict (a dictionary of tensors by name) in this file`,
    )
  return new Map(
    [...stateDict.tensors].map(([key, index]) => {
      const { dtype, shape, stride, storageOffset, storage } = checkpoint.tensors[index]!
      return [key, { index, dtype, shape, stride, storageOffset, storageHash: hashes[storage]! }]
    }),
  )
}

const storagesOf = ({ storages }: Checkpoint, hashes: readonly string[]): ReadonlyMap<string, number> =>
  new Map(storages.map(({ byteLength }, index) => [hashes[index]!, byteLength]))

function changeReport({ key, base, other, change, distance, reason }: ComparedTensor): TensorChangeReport {
  const { elements: _elements, identical: _identical, ...measured } = distance ?? {}
  return {
    ...{ key, change, reason },
    baseDtype: base.dtype,
    otherDtype: other.dtype,
    baseShape: base.shape,
    otherShape: other.shape,
    distance: distance === null ? null : (measured as TensorChangeReport['distance']),
  }
}
