import type { Progress } from '../evaluation/index.ts'

/** Writes the latest progress and skips what it has no time for: a slow database slows no evaluation. */
export interface ProgressWriter {
  /** Never waits. */
  report(progress: Progress): void
  /** When nothing is being written any more; nothing is written after it. */
  close(): Promise<void>
}

/** @param write writes one; a failure is `failed`'s to tell. */
export function progressWriter(
  write: (progress: Progress) => Promise<void>,
  failed: (error: unknown) => void,
): ProgressWriter {
  let latest: Progress | null = null
  let writing: Promise<void> | null = null
  let closed = false
  const writeAll = async () => {
    while (latest !== null) {
      const progress = latest
      latest = null
      await write(progress).catch(failed)
    }
    writing = null
  }
  return {
    report(progress) {
      if (closed) return
      latest = progress
      writing ??= writeAll()
    },
    async close() {
      closed = true
      latest = null
      await writing
    },
  }
}
