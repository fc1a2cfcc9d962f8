import {
  archiveFacts,
  findStateDicts,
  scannedGlobal,
  tensorBytes,
  type Checkpoint,
  type StateDict,
} from '../../checkpoint/index.ts'
import { hasStatistics, tensorStatistics, type TensorStatistics } from '../../statistics/index.ts'
import { isContiguous, itemSize, numel } from '../../tensor/index.ts'
import { byteProgress, counted } from '../byte-progress.ts'
import { hashFile } from '../names.ts'
import { openCheckpointFile } from '../open-checkpoint-file.ts'
import type { ProgressStream } from '../progress-display.ts'
import type { CheckpointReport, TensorReport } from './checkpoint-report.ts'
import type { Wanted } from './wanted.ts'

/**
 * Looks into a file of this machine: no platform, no database.
 * @throws CliFailure, AppError as `readCheckpoint`.
 */
export async function reportFile(
  path: string,
  wanted: Wanted,
  output: ProgressStream,
  signal: AbortSignal,
): Promise<CheckpointReport> {
  await using file = await openCheckpointFile(path)
  const { source, checkpoint } = file
  const { tensors, storages } = checkpoint
  const stateDicts = findStateDicts(checkpoint)
  const listed = stateDicts.flatMap((stateDict) => tensorsOf(checkpoint, stateDict, wanted))
  const facts = checkpoint.format === 'torch-zip' ? await archiveFacts(source) : null
  const statistics = wanted.statistics
    ? await statisticsOf(checkpoint, new Set(listed.map(({ index }) => index)), output, signal)
    : null
  return {
    source: path,
    fileName: source.name,
    format: checkpoint.format,
    fileBytes: source.size,
    sha256: wanted.sha256 ? await hashFile(path, signal) : null,
    formatVersion: facts?.version ?? null,
    byteOrder: facts === null ? null : (facts.byteOrder ?? 'little'),
    parameters: parametersOf(checkpoint, stateDicts[0]),
    tensorCount: tensors.length,
    storages: { count: storages.length, bytes: storages.reduce((sum, { byteLength }) => sum + byteLength, 0) },
    stateDicts: stateDicts.map((stateDict) => ({ path: stateDict.path, tensors: stateDict.tensors.size })),
    locations: [...new Set(storages.map(({ location }) => location))].sort(),
    globals: checkpoint.globals.map(scannedGlobal),
    // After the statistics: what is read may still be found to be damaged.
    warnings: [...checkpoint.warnings],
    statistics: statistics === null ? null : 'READY',
    tensors: listed.map(({ index, report }) =>
      statistics === null ? report : { ...report, statistics: statistics.get(index) ?? null },
    ),
    ...(wanted.tree
      ? { tree: checkpoint.tree, treeTensors: tensors.map(({ dtype, shape }) => ({ dtype, shape })) }
      : {}),
  }
}

interface ListedTensor {
  /** Index into the file's tensors. */
  readonly index: number
  readonly report: TensorReport
}

function tensorsOf(
  { tensors, storages }: Checkpoint,
  { path, tensors: byKey }: StateDict,
  wanted: Wanted,
): ListedTensor[] {
  const keys = new Map<number, string[]>()
  for (const [key, index] of byKey) {
    const { storage } = tensors[index]!
    keys.set(storage, [...(keys.get(storage) ?? []), key])
  }
  const listed: ListedTensor[] = []
  for (const [key, index] of byKey) {
    if (!wanted.key(key)) continue
    const { dtype, shape, stride, storage } = tensors[index]!
    listed.push({
      index,
      report: {
        stateDict: path,
        ...{ key, dtype, shape, stride },
        contiguous: isContiguous(shape, stride),
        bytes: numel(shape) * itemSize(dtype),
        location: storages[storage]!.location,
        sharedWith: (keys.get(storage) ?? []).filter((other) => other !== key),
      },
    })
  }
  return listed
}

function parametersOf({ tensors }: Checkpoint, stateDict: StateDict | undefined): number {
  let count = 0
  for (const index of new Set(stateDict?.tensors.values())) count += numel(tensors[index]!.shape)
  return count
}

/** Of each tensor once, however many keys it has. */
async function statisticsOf(
  checkpoint: Checkpoint,
  indexes: ReadonlySet<number>,
  output: ProgressStream,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, TensorStatistics | null>> {
  const { tensors } = checkpoint
  const bytesOf = (index: number): number => numel(tensors[index]!.shape) * itemSize(tensors[index]!.dtype)
  using progress = byteProgress(
    output,
    'statistics',
    [...indexes].reduce((sum, index) => sum + bytesOf(index), 0),
  )
  const found = new Map<number, TensorStatistics | null>()
  const unseen = { add: () => undefined, [Symbol.dispose]: () => undefined }
  for (const index of indexes) {
    const { dtype, shape } = tensors[index]!
    let pass = 0
    // A large tensor is read twice, and counted once.
    const read = () => counted(tensorBytes(checkpoint, index), pass++ === 0 ? progress : unseen, signal)
    found.set(index, hasStatistics(dtype) ? await tensorStatistics(dtype, numel(shape), read) : null)
  }
  return found
}
