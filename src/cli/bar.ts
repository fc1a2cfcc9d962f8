import { SingleBar } from 'cli-progress'
import type { Writable } from 'node:stream'

/** Where progress is shown. */
export type ProgressStream = Writable & { readonly isTTY?: boolean }

/** Without a terminal: at most a line each second. */
const LINE_MS = 1_000

/** A bar on a terminal. */
export interface Bar {
  show(what: string, value: number, total: number, details: string): void
  /** Takes the bar off; the next `show` makes another. */
  stop(): void
}

/** A bar that moves, one at a time. */
export function barOn(stream: ProgressStream): Bar {
  let bar: SingleBar | null = null
  let shown = ''
  const stop = (): void => {
    bar?.stop()
    bar = null
    shown = ''
  }
  return {
    show(what, value, total, details) {
      if (bar === null || shown !== what) {
        bar?.stop()
        bar = new SingleBar({
          stream,
          format: '{what} {bar} {percentage}% {details}',
          barCompleteChar: '█',
          barIncompleteChar: '░',
          barsize: 24,
          hideCursor: true,
          fps: 10,
          // Ctrl-C is ours: it cancels the run. (cli-progress would only show the cursor again, which `stop` does too.)
          gracefulExit: false,
        })
        bar.start(total, value, { what, details })
        shown = what
      }
      bar.setTotal(total)
      bar.update(value, { what, details })
    },
    stop,
  }
}

/** Plain lines: those that need not be seen are left out when the last one was just written. */
export function linesOn(stream: ProgressStream): (text: string, always: boolean) => void {
  let last = -Infinity
  return (text, always) => {
    const now = performance.now()
    if (!always && now - last < LINE_MS) return
    last = now
    stream.write(`${text}\n`)
  }
}
