import { setTimeout as delay } from 'node:timers/promises'
import { scannedGlobal, type ValueTree } from '../../checkpoint/index.ts'
import { isContiguous } from '../../tensor/index.ts'
import type { PlatformClient } from '../platform-client.ts'
import type { CheckpointReport, TensorReport } from './checkpoint-report.ts'
import {
  INSPECT_CHECKPOINT,
  INSPECT_STATISTICS,
  INSPECT_TREE,
  type InspectedCheckpoint,
  type InspectedTensor,
} from './documents.ts'
import type { Wanted } from './wanted.ts'

/** How long statistics of a checkpoint that was just imported are waited for. */
const WAIT_MS = 60_000
const POLL_MS = 500

/**
 * Looks into a checkpoint of a platform.
 * @throws CliFailure with the platform's code.
 */
export async function reportStored(
  client: PlatformClient,
  id: string,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<CheckpointReport> {
  const checkpoint = await load(client, id, wanted.statistics, signal)
  const { stateDictPath, statisticsStatus, statisticsError } = checkpoint
  const stateDict = stateDictPath
  const once = new Map(checkpoint.tensors.map((tensor) => [identity(tensor), tensor.shape]))
  return {
    source: checkpoint.id,
    fileName: checkpoint.fileName,
    format: checkpoint.format.toLowerCase().replaceAll('_', '-'),
    fileBytes: checkpoint.fileBytes,
    sha256: checkpoint.fileSha256,
    formatVersion: null,
    byteOrder: null,
    parameters: [...once.values()].reduce((sum, shape) => sum + shape.reduce((n, size) => n * size, 1), 0),
    tensorCount: null,
    storages: null,
    stateDicts: [{ path: stateDictPath, tensors: checkpoint.tensors.length }],
    locations: checkpoint.locations,
    globals: checkpoint.globals.map(scannedGlobal),
    warnings: checkpoint.warnings,
    statistics: wanted.statistics ? (statisticsError?.message ?? statisticsStatus) : null,
    tensors: checkpoint.tensors.filter(({ key }) => wanted.key(key)).map((tensor) => tensorReport(tensor, stateDict)),
    ...(wanted.tree ? { tree: await loadTree(client, id, signal) } : {}),
  }
}

async function load(
  client: PlatformClient,
  id: string,
  statistics: boolean,
  signal: AbortSignal,
): Promise<InspectedCheckpoint> {
  const until = Date.now() + WAIT_MS
  for (;;) {
    const document = statistics ? INSPECT_STATISTICS : INSPECT_CHECKPOINT
    const { checkpoint } = await client.query<{ readonly checkpoint: InspectedCheckpoint }>(document, { id }, signal)
    if (!statistics || checkpoint.statisticsStatus !== 'PENDING' || Date.now() > until) return checkpoint
    await delay(POLL_MS, null, { signal })
  }
}

/** Keys that are tied have the same storage, and here the same view of it. */
const identity = ({ key, shape, stride, dtype, sharedWith }: InspectedTensor): string =>
  JSON.stringify([[key, ...sharedWith].sort()[0], shape, stride, dtype])

const tensorReport = ({ statistics, ...tensor }: InspectedTensor, stateDict: readonly string[]): TensorReport => ({
  ...{ stateDict, ...tensor, contiguous: isContiguous(tensor.shape, tensor.stride) },
  ...(statistics === undefined ? {} : { statistics }),
})

async function loadTree(client: PlatformClient, id: string, signal: AbortSignal): Promise<ValueTree> {
  const { checkpoint } = await client.query<{ readonly checkpoint: { readonly tree: ValueTree } }>(
    INSPECT_TREE,
    { id },
    signal,
  )
  return checkpoint.tree
}
