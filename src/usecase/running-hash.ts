import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

/** Bytes that are read at once to catch up. */
const READ_BYTES = 1 << 20

/**
 * The SHA-256 of a file that grows. Bytes are hashed as they arrive. Where the state of the hash is behind them (Node cannot write it
 * down, so a restart loses it), what the file holds already is read beside what arrives, until it has caught up. Memory is bounded.
 */
export interface RunningHash {
  /** Bytes that are in the hash. */
  position(): number
  /** Takes bytes that belong at `offset`; false when the hash is not there yet: `follow` it when they are written. */
  add(offset: number, piece: Uint8Array): boolean
  /**
   * The file is written up to `end`: what is missing is read from it. Resolves at once while that is much, and else when it is done: a writer
   * that never waited would stay ahead for ever.
   */
  follow(file: FileHandle, end: number): Promise<void>
  /** Stops reading, so that the file can be closed. */
  pause(): Promise<void>
  /** Lower-case hex, over the first `length` bytes. The hash is used up then. */
  digest(file: FileHandle, length: number): Promise<string>
}

/** A hash of nothing. */
export function runningHash(): RunningHash {
  const hash = createHash('sha256')
  let position = 0
  let end = 0
  let reading = false
  let paused = false
  let done: Promise<void> = Promise.resolve()

  async function catchUp(file: FileHandle): Promise<void> {
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    try {
      while (position < end && !paused) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(READ_BYTES, end - position), position)
        if (bytesRead === 0) throw new Error(`the file ends at byte ${position}, ${end} were written`)
        hash.update(buffer.subarray(0, bytesRead))
        position += bytesRead
      }
    } finally {
      // With the last look at `end`, so that no byte falls between the two.
      reading = false
    }
  }

  const follow = (file: FileHandle, to: number): Promise<void> => {
    end = to
    if (!reading) {
      reading = true
      paused = false
      done = catchUp(file)
      // Told where it is awaited.
      done.catch(() => undefined)
    }
    return end - position <= READ_BYTES ? done : Promise.resolve()
  }

  return {
    position: () => position,
    add(offset, piece) {
      if (reading || offset !== position) return false
      hash.update(piece)
      position += piece.byteLength
      return true
    },
    follow,
    async pause() {
      paused = true
      await done
    },
    async digest(file, length) {
      void follow(file, length)
      await done
      return hash.digest('hex')
    },
  }
}

/** Hashes of uploads that wait for their next bytes, the least used ones forgotten: those are read again. */
export interface RunningHashes {
  /** The hash of an upload of which `bytes` are there. */
  take(uploadId: string, bytes: number): RunningHash
  /** Remembers it until the next bytes come. */
  keep(uploadId: string, hash: RunningHash): void
}

/** @param most hashes that are remembered */
export function runningHashes(most = 256): RunningHashes {
  const kept = new Map<string, RunningHash>()
  return {
    take(uploadId, bytes) {
      const found = kept.get(uploadId)
      kept.delete(uploadId)
      return found !== undefined && found.position() <= bytes ? found : runningHash()
    },
    keep(uploadId, hash) {
      kept.set(uploadId, hash)
      for (const oldest of kept.keys()) {
        if (kept.size <= most) break
        kept.delete(oldest)
      }
    },
  }
}
