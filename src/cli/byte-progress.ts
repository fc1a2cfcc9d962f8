import { SingleBar } from 'cli-progress'
import { formatBytes } from './number-format.ts'
import type { ProgressStream } from './progress-display.ts'

/** Work that is done before anybody could read what it is. */
const LARGE = 64 * 2 ** 20

/** Counts bytes that were worked through. */
export interface ByteProgress extends Disposable {
  add(bytes: number): void
}

/** A bar on a terminal for much work; nothing elsewhere. */
export function byteProgress(stream: ProgressStream, title: string, total: number): ByteProgress {
  if (stream.isTTY !== true || total < LARGE) return { add: () => undefined, [Symbol.dispose]: () => undefined }
  const bar = new SingleBar({
    stream,
    format: `${title} {bar} {percentage}% {details}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    fps: 10,
    gracefulExit: false,
  })
  let done = 0
  bar.start(total, 0, { details: '' })
  return {
    add(bytes) {
      done += bytes
      bar.update(Math.min(done, total), { details: `${formatBytes(done)} of ${formatBytes(total)}` })
    },
    [Symbol.dispose]: () => bar.stop(),
  }
}

/** The same pieces, counted; ends when the signal is aborted. */
export async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  progress: ByteProgress,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    signal.throwIfAborted()
    progress.add(piece.length)
    yield piece
  }
}
