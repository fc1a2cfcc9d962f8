import { createHash } from 'node:crypto'
import {
  readLayout,
  writtenValue,
  type FileLayout,
  type LayoutSource,
  type StorageEntry,
  type TensorEntry,
  type ValueTree,
} from '../../checkpoint/index.ts'
import { AppError } from '../../error.ts'
import type { CheckpointRow } from '../../store/index.ts'
import type { Platform } from '../platform.ts'
import { storedDType } from '../stored-dtype.ts'
import { loadChecksums, saveChecksums } from './checksums.ts'
import { downloadOptions, type DownloadInput } from './download-options.ts'
import { planDownload } from './plan-download.ts'

/** A file that a checkpoint is downloaded as. Making one reads rows, and no byte of a storage. */
export interface Download {
  readonly fileName: string
  readonly byteLength: number
  /** Names the exact bytes: equal ones are equal, whenever and wherever they are asked for. */
  readonly etag: string
  /** SHA-256 of the file in hex where it was computed before; else null. */
  knownSha256(): Promise<string | null>
  /** SHA-256 of the file in hex. The first time all of it is read for it; then it is kept. */
  sha256(signal?: AbortSignal): Promise<string>
  /** Any range of the file. Read as fast as it is taken; memory does not grow with it. */
  read(offset: number, length: number, signal?: AbortSignal): AsyncIterable<Uint8Array>
}

/** Changes with what the writers write, so that a part of an older file is not put together with a part of a newer one. */
const WRITER_VERSION = 1

/**
 * Plans a download of a checkpoint.
 * @throws AppError NOT_FOUND, BAD_INPUT, BINDING_FAILED, DEVICE_UNAVAILABLE, CHECKPOINT_UNSUPPORTED.
 */
export async function openDownload(platform: Platform, checkpointId: string, input: DownloadInput): Promise<Download> {
  const { prisma } = platform.store
  const checkpoint = await prisma.checkpoint.findUnique({ where: { id: checkpointId }, omit: { globals: true } })
  if (checkpoint === null) throw new AppError('NOT_FOUND', 'there is no checkpoint with this id')
  const options = downloadOptions(input, checkpoint.format.startsWith('SAFETENSORS') ? 'safetensors' : 'torch-zip')
  const { storages, hashes } = await loadStorages(platform, checkpointId)
  const tensors = await loadTensors(platform, checkpointId)
  const tree = checkpoint.tree as unknown as ValueTree
  const layout = planDownload(writtenValue({ tree, tensors, storages }), checkpoint.stateDictPath, options)
  return downloadOf(platform, checkpoint, options.format, layout, hashes)
}

function downloadOf(
  platform: Platform,
  checkpoint: Pick<CheckpointRow, 'id' | 'fileName'>,
  format: string,
  layout: FileLayout,
  hashes: readonly string[],
): Download {
  const { prisma, bytes } = platform.store
  const etag = etagOf(layout, hashes)
  const { id: checkpointId } = checkpoint
  let checksums: (number | undefined)[] | null = null

  async function* read(offset: number, length: number, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
    checksums ??= layout.checksummed ? await loadChecksums(prisma, layout, hashes) : []
    const known = [...checksums]
    const source: LayoutSource = {
      checksums,
      read: (ranges) =>
        bytes.readRanges(
          ranges.map(({ storage, offset: from, length: count }) => ({
            sha256: hashes[storage]!,
            offset: from,
            length: count,
          })),
          signal === undefined ? {} : { signal },
        ),
    }
    try {
      yield* readLayout(layout, source, offset, length)
    } finally {
      await saveChecksums(prisma, layout, hashes, known, checksums)
    }
  }

  async function knownSha256(): Promise<string | null> {
    const row = await prisma.downloadDigest.findUnique({ where: { checkpointId_etag: { checkpointId, etag } } })
    return row?.sha256 ?? null
  }

  return {
    fileName: fileNameOf(checkpoint.fileName, format),
    byteLength: layout.byteLength,
    etag,
    read,
    knownSha256,
    async sha256(signal) {
      const known = await knownSha256()
      if (known !== null) return known
      const hash = createHash('sha256')
      for await (const piece of read(0, layout.byteLength, signal)) hash.update(piece)
      const sha256 = hash.digest('hex')
      // Somebody else may have computed it at the same time, or deleted the checkpoint.
      await prisma.downloadDigest.createMany({ data: [{ checkpointId, etag, sha256 }], skipDuplicates: true })
      return sha256
    },
  }
}

async function loadStorages(
  { store: { prisma } }: Platform,
  checkpointId: string,
): Promise<{ readonly storages: readonly StorageEntry[]; readonly hashes: readonly string[] }> {
  const rows = await prisma.checkpointStorage.findMany({
    where: { checkpointId },
    orderBy: { index: 'asc' },
    select: { key: true, dtype: true, location: true, storageHash: true, storage: { select: { byteLength: true } } },
  })
  return {
    storages: rows.map(({ key, dtype, location, storage }) => ({
      key,
      dtype: storedDType(dtype),
      location,
      byteLength: Number(storage.byteLength),
    })),
    hashes: rows.map(({ storageHash }) => storageHash),
  }
}

async function loadTensors({ store: { prisma } }: Platform, checkpointId: string): Promise<readonly TensorEntry[]> {
  const rows = await prisma.tensor.findMany({ where: { checkpointId }, orderBy: { index: 'asc' } })
  return rows.map((row) => ({
    storage: row.storageIndex,
    dtype: storedDType(row.dtype),
    shape: row.shape.map(Number),
    stride: row.stride.map(Number),
    storageOffset: Number(row.storageOffset),
    requiresGrad: row.requiresGrad,
    isParameter: row.isParameter,
  }))
}

function etagOf(layout: FileLayout, hashes: readonly string[]): string {
  const hash = createHash('sha256').update(`nograd ${WRITER_VERSION}\n`)
  for (const segment of layout.segments) {
    if (segment.kind === 'fixed') hash.update(segment.bytes)
    else hash.update(`\n${hashes[segment.storage]!} ${JSON.stringify([segment.source, segment.conversion])}\n`)
  }
  return hash.digest('hex').slice(0, 32)
}

/** The name that the file came by, with the extension of what it is now. */
const fileNameOf = (fileName: string, format: string): string =>
  `${fileName.replace(/\.(pth|pt|ckpt|bin|safetensors)$/i, '') || 'checkpoint'}.${format}`
