import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { denseBytes, type ReadRange } from '../checkpoint/index.ts'
import type { ParameterSource } from '../engine/index.ts'
import { AppError } from '../error.ts'
import { prepareParameters, type DenseValues } from '../evaluation/index.ts'
import { isContiguous, itemSize, numel } from '../tensor/index.ts'
import type { ModelPlan, StoredTensor } from '../usecase/index.ts'
import type { BlobLease } from './blob-cache/index.ts'

/** Weights that are fetched at a time: small ones are mostly waiting. */
const FETCHED_AT_ONCE = 4

/**
 * Fetches the weights of a plan that are not here yet, and puts them as the engine takes them: where they lie when they can be used so,
 * else put in order and converted in files of the lease.
 * @throws AppError BINDING_FAILED when keys that are tied hold different values, CHECKPOINT_CORRUPT; the reason of `signal`.
 */
export async function loadWeights(
  plan: Pick<ModelPlan, 'graph' | 'parameters' | 'tied'>,
  lease: BlobLease,
  signal: AbortSignal,
): Promise<ParameterSource> {
  const hashes = new Set([...plan.parameters.values()].map(({ storageHash }) => storageHash))
  for (const { tensors } of plan.tied) for (const { storageHash } of tensors) hashes.add(storageHash)
  await fetchAll([...hashes], lease, signal)
  for (const { keys, tensors } of plan.tied) await checkTied(keys, tensors, lease)
  const values = new Map<string, DenseValues>()
  for (const [parameter, tensor] of plan.parameters) {
    signal.throwIfAborted()
    values.set(parameter, await denseValues(tensor, lease))
  }
  return await prepareParameters(
    plan.graph.parameters.filter(({ optional }) => !optional),
    values,
    await lease.scratchFile(),
  )
}

async function fetchAll(hashes: readonly string[], lease: BlobLease, signal: AbortSignal): Promise<void> {
  const waiting = [...hashes]
  const fetchNext = async () => {
    for (let hash = waiting.pop(); hash !== undefined; hash = waiting.pop()) {
      signal.throwIfAborted()
      await lease.file(hash, signal)
    }
  }
  await Promise.all(Array.from({ length: FETCHED_AT_ONCE }, fetchNext))
}

/** A contiguous view lies in the file as it is; any other is put in order in a file of its own. */
async function denseValues(tensor: StoredTensor, lease: BlobLease): Promise<DenseValues> {
  const { dtype, shape, stride, storageOffset, storageHash } = tensor
  const length = numel(shape) * itemSize(dtype)
  if (isContiguous(shape, stride))
    return { kind: 'file', dtype, path: await lease.file(storageHash), offset: storageOffset * itemSize(dtype), length }
  const path = await lease.scratchFile()
  const file = await open(path, 'wx')
  try {
    for await (const piece of elements(tensor, lease))
      for (let at = 0; at < piece.byteLength;) at += (await file.write(piece, at)).bytesWritten
  } finally {
    await file.close()
  }
  return { kind: 'file', dtype, path, offset: 0, length }
}

/** The elements of a tensor, dense and row-major. */
async function* elements(tensor: StoredTensor, lease: BlobLease): AsyncGenerator<Uint8Array> {
  const file = await open(await lease.file(tensor.storageHash), 'r')
  const read: ReadRange = async function* (offset, length) {
    for (let at = 0; at < length;) {
      const piece = new Uint8Array(Math.min(length - at, 1 << 20))
      const { bytesRead } = await file.read(piece, 0, piece.byteLength, offset + at)
      if (bytesRead === 0) throw new Error(`storage ${tensor.storageHash} ends at byte ${offset + at}`)
      yield piece.subarray(0, bytesRead)
      at += bytesRead
    }
  }
  try {
    yield* denseBytes(tensor, read)
  } finally {
    await file.close()
  }
}

/** The graph reads one of them, PyTorch would load each in turn into the same memory: equal values make the order no matter. */
async function checkTied(keys: readonly string[], tensors: readonly StoredTensor[], lease: BlobLease): Promise<void> {
  const [first, ...others] = tensors
  if (first === undefined) return
  let expected: string | null = null
  for (const [i, tensor] of others.entries()) {
    if (sameView(first, tensor)) continue
    expected ??= await hashElements(first, lease)
    if (tensor.dtype === first.dtype && (await hashElements(tensor, lease)) === expected) continue
    throw new AppError(
      'BINDING_FAILED',
      `${keys[0]!} and ${keys[i + 1]!} are one parameter of the architecture, and the checkpoint has different values for them; ` +
        'export the architecture from a model whose weights are not tied, or save the checkpoint after tying them',
    )
  }
}

async function hashElements(tensor: StoredTensor, lease: BlobLease): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of elements(tensor, lease)) hash.update(piece)
  return hash.digest('hex')
}

const sameView = (a: StoredTensor, b: StoredTensor): boolean =>
  a.storageHash === b.storageHash &&
  a.dtype === b.dtype &&
  a.storageOffset === b.storageOffset &&
  a.stride.join() === b.stride.join() &&
  a.shape.join() === b.shape.join()
