import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { findStateDicts, readLayout, writtenValue, type LayoutSource } from '../checkpoint/index.ts'
import { downloadOptions, planDownload } from '../usecase/index.ts'
import { keyMappingOf } from './key-mapping.ts'
import { openCheckpointFile } from './open-checkpoint-file.ts'
import type { TransferDisplay } from './transfer-display.ts'
import type { WriteOptions } from './write-options.ts'

/** A file that was written. */
export interface ConvertedFile {
  readonly bytes: number
  readonly sha256: string
  /** What the reader of the file says. */
  readonly warnings: readonly string[]
}

/**
 * Writes a checkpoint file as another one, by the writer of downloads. The file appears when all of it is written.
 * @throws AppError CHECKPOINT_*, BAD_INPUT, BINDING_FAILED, DEVICE_UNAVAILABLE.
 */
export async function convertFile(
  input: string,
  options: WriteOptions & { readonly output: string },
  display: TransferDisplay,
  signal: AbortSignal,
): Promise<ConvertedFile> {
  await using opened = await openCheckpointFile(input)
  const { checkpoint } = opened
  const { mapLocation } = options
  const planned = downloadOptions(
    {
      format: options.format,
      content: options.stateDict === true ? 'state_dict' : undefined,
      dtype: options.dtype,
      keyMapping: keyMappingOf(options),
      mapLocation:
        mapLocation === undefined || 'device' in mapLocation
          ? mapLocation
          : { tags: Object.fromEntries(mapLocation.tags.map(({ from, to }) => [from, to])) },
    },
    checkpoint.format,
  )
  const layout = planDownload(writtenValue(checkpoint), findStateDicts(checkpoint)[0]?.path ?? null, planned)
  const bytes: LayoutSource = {
    checksums: [],
    async *read(ranges) {
      for (const { storage, offset, length } of ranges) yield* checkpoint.readStorage(storage, offset, length)
    },
  }
  const part = `${options.output}.part`
  const hash = createHash('sha256')
  const file = await open(part, 'w')
  let written = 0
  try {
    for await (const piece of readLayout(layout, bytes)) {
      signal.throwIfAborted()
      hash.update(piece)
      for (let at = 0; at < piece.length;) at += (await file.write(piece, at)).bytesWritten
      written += piece.length
      display.moved(written, layout.byteLength)
    }
  } catch (error) {
    await rm(part, { force: true })
    throw error
  } finally {
    await file.close()
  }
  await rename(part, options.output)
  return { bytes: written, sha256: hash.digest('hex'), warnings: [...checkpoint.warnings] }
}
