import { SingleBar } from 'cli-progress'
import { formatBytes } from './number-format.ts'
import type { ProgressStream } from './progress-display.ts'

/** Shows how far a file is. */
export interface TransferDisplay {
  moved(done: number, total: number): void
  ended(): void
}

/** Without a terminal: at most a line each second. */
const LINE_MS = 1_000
/** Smaller files are there before anybody could read that they are coming. */
const LARGE_FILE = 16 * 2 ** 20

/** A bar on a terminal, lines elsewhere, nothing for small files. */
export function transferDisplay(stream: ProgressStream, what: string): TransferDisplay {
  const details = (done: number, total: number): string => `${formatBytes(done)} of ${formatBytes(total)}`
  if (stream.isTTY !== true) {
    let last = -Infinity
    return {
      moved(done, total) {
        const now = performance.now()
        if (total < LARGE_FILE || now - last < LINE_MS) return
        last = now
        stream.write(`${what}: ${details(done, total)}\n`)
      },
      ended: () => undefined,
    }
  }
  let bar: SingleBar | null = null
  return {
    moved(done, total) {
      if (total < LARGE_FILE) return
      if (bar === null) {
        bar = new SingleBar({
          stream,
          format: `${what} {bar} {percentage}% {details}`,
          barCompleteChar: '█',
          barIncompleteChar: '░',
          barsize: 24,
          hideCursor: true,
          fps: 10,
          gracefulExit: false,
        })
        bar.start(total, done, { details: details(done, total) })
      }
      bar.update(done, { details: details(done, total) })
    },
    ended() {
      bar?.stop()
      bar = null
    },
  }
}

/** Shows nothing. */
export const NO_DISPLAY: TransferDisplay = { moved: () => undefined, ended: () => undefined }
