import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readExactly } from '../container/index.ts'

/** Bytes for the time being: they are written to their end, then read. */
export interface ScratchFile {
  /** Bytes that were appended. */
  size(): number
  append(bytes: Uint8Array): Promise<void>
  /** Fills `into` with the bytes from `offset`. */
  read(offset: number, into: Uint8Array): Promise<void>
}

/** A folder of such files, removed when disposed. */
export interface Scratch extends AsyncDisposable {
  file(): ScratchFile
}

/** What the names of scratch folders begin with. */
export const SCRATCH_PREFIX = 'nograd-dataset-'

/** Bytes that wait in memory, of all files together, … */
const WAITING_BYTES = 64 * 2 ** 20
/** … and of one of them. */
const LEAST_BYTES = 4 << 10
const MOST_BYTES = 256 << 10

/** A part of a scratch file, where it lies. */
interface Extent {
  /** Within the scratch file. */
  readonly start: number
  readonly length: number
  /** Within the file on disk. */
  readonly offset: number
}

/**
 * A new folder in `folder`, by default in that of the system. All of its files lie in one file on disk: a table may have ten thousand
 * label columns.
 */
export async function openScratch(folder: string = tmpdir()): Promise<Scratch> {
  const path = await mkdtemp(join(folder, SCRATCH_PREFIX))
  const disk = await open(join(path, 'columns'), 'wx+')
  let files = 0
  let end = 0
  const write = async (bytes: Uint8Array): Promise<number> => {
    const offset = end
    end += bytes.length
    for (let at = 0; at < bytes.length;)
      at += (await disk.write(bytes, at, bytes.length - at, offset + at)).bytesWritten
    return offset
  }
  return {
    file() {
      files++
      return scratchFile(disk, write, () =>
        Math.max(LEAST_BYTES, Math.min(MOST_BYTES, Math.floor(WAITING_BYTES / files))),
      )
    },
    async [Symbol.asyncDispose]() {
      await disk.close()
      await rm(path, { recursive: true, force: true })
    },
  }
}

function scratchFile(
  disk: FileHandle,
  write: (bytes: Uint8Array) => Promise<number>,
  waitingBytes: () => number,
): ScratchFile {
  const extents: Extent[] = []
  let written = 0
  let waiting: Uint8Array[] = []
  let size = 0

  async function flush(): Promise<void> {
    if (size === written) return
    const bytes = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting)
    waiting = []
    extents.push({ start: written, length: bytes.length, offset: await write(bytes) })
    written += bytes.length
  }

  /** Index of the extent that has a byte. */
  function extentOf(offset: number): number {
    let [low, high] = [0, extents.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (extents[middle]!.start <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  return {
    size: () => size,
    async append(bytes) {
      // The caller may use its memory again.
      waiting.push(new Uint8Array(bytes))
      size += bytes.length
      if (size - written >= waitingBytes()) await flush()
    },
    async read(offset, into) {
      await flush()
      let at = 0
      for (let index = extentOf(offset); at < into.length; index++) {
        const extent = extents[index]
        if (extent === undefined)
          throw new Error(`a scratch file of ${size} bytes ends before byte ${offset + into.length}`)
        const skipped = offset + at - extent.start
        const part = into.subarray(at, at + Math.min(into.length - at, extent.length - skipped))
        await readExactly(disk, part, extent.offset + skipped, 'a scratch file')
        at += part.length
      }
    },
  }
}

/** All bytes of a file, in pieces of a whole number of `unit` bytes, some MiB at most. */
export async function* scratchPieces(
  file: ScratchFile,
  unit: number,
  pieceBytes = 1 << 20,
): AsyncGenerator<Uint8Array> {
  const step = Math.max(1, Math.floor(pieceBytes / unit)) * unit
  for (let at = 0; at < file.size(); at += step) {
    const piece = new Uint8Array(Math.min(step, file.size() - at))
    await file.read(at, piece)
    yield piece
  }
}

/** Float64 numbers, as they are or, where they are whole, as int64. */
export async function* float64Pieces(file: ScratchFile, whole: boolean): AsyncGenerator<Uint8Array> {
  for await (const piece of scratchPieces(file, 8)) yield whole ? int64Bytes(new Float64Array(piece.buffer)) : piece
}

/** Whole numbers as int64, little-endian. By halves: a BigInt for each takes fifty times as long. */
export function int64Bytes(numbers: Float64Array): Uint8Array {
  const halves = new Int32Array(2 * numbers.length)
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i]!
    halves[2 * i] = value | 0
    halves[2 * i + 1] = Math.floor(value / 2 ** 32)
  }
  return new Uint8Array(halves.buffer)
}
