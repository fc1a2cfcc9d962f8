import type { Writable } from 'node:stream'
import { SingleBar } from 'cli-progress'
import type { EvaluationReporter, Progress, TaskName } from './evaluation-request.ts'
import { formatBytes, formatCount, formatDuration, formatMetric } from './number-format.ts'

/** Where progress is shown. */
export type ProgressStream = Writable & { readonly isTTY?: boolean }

/** Without a terminal: at most a line each second. */
const LINE_MS = 1_000
/** Smaller files are sent before anybody could read that they are being sent. */
const LARGE_FILE = 16 * 2 ** 20

/**
 * Shows an evaluation: a bar that moves on a terminal, plain lines elsewhere.
 * @param title what the bar calls the work
 */
export function progressDisplay(stream: ProgressStream, task: TaskName, title = 'evaluating'): EvaluationReporter {
  return stream.isTTY === true ? barDisplay(stream, task, title) : lineDisplay(stream, task, title)
}

/** Shows nothing. */
export const SILENT: EvaluationReporter = {
  uploading: () => undefined,
  importing: () => undefined,
  progressed: () => undefined,
  logged: () => undefined,
  ended: () => undefined,
}

/** `F1 0.9876`, or the loss where there is no F1. */
function runningValue(task: TaskName, { f1, loss }: Progress): string {
  return task === 'regression' ? `MSE ${formatMetric(loss)}` : `F1 ${f1 === null ? '–' : f1.toFixed(4)}`
}

function barDisplay(stream: ProgressStream, task: TaskName, title: string): EvaluationReporter {
  let bar: SingleBar | null = null
  let shown = ''
  const show = (what: string, value: number, total: number, details: string): void => {
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
  }
  const stop = (): void => {
    bar?.stop()
    bar = null
    shown = ''
  }
  return {
    uploading: (fileName, sent, total) => {
      if (total >= LARGE_FILE) show(`sending ${fileName}`, sent, total, `${formatBytes(sent)} of ${formatBytes(total)}`)
    },
    importing: (fileName) => {
      stop()
      stream.write(`importing ${fileName}\n`)
    },
    progressed: (progress) => {
      const { samples, total, samplesPerSecond, etaSeconds } = progress
      const left = etaSeconds === null || samples >= total ? '' : `, ${formatDuration(etaSeconds * 1000)} left`
      const speed = `${formatCount(samples)}/${formatCount(total)}, ${formatCount(samplesPerSecond)}/s${left}`
      show(title, samples, total, `${runningValue(task, progress)} (${speed})`)
    },
    logged: (level, message) => {
      if (level === 'info') return
      stop()
      stream.write(`${level}: ${message}\n`)
    },
    ended: stop,
  }
}

function lineDisplay(stream: ProgressStream, task: TaskName, title: string): EvaluationReporter {
  let last = -Infinity
  const line = (text: string, always: boolean): void => {
    const now = performance.now()
    if (!always && now - last < LINE_MS) return
    last = now
    stream.write(`${text}\n`)
  }
  return {
    uploading: (fileName, sent, total) => {
      if (total >= LARGE_FILE) line(`sending ${fileName}: ${formatBytes(sent)} of ${formatBytes(total)}`, false)
    },
    importing: (fileName) => line(`importing ${fileName}`, true),
    progressed: (progress) => {
      const { samples, total, samplesPerSecond } = progress
      const counted = `${formatCount(samples)} of ${formatCount(total)} samples`
      const ended = samples >= total
      line(`${title}: ${counted}, ${formatCount(samplesPerSecond)}/s, ${runningValue(task, progress)}`, ended)
    },
    logged: (level, message) => {
      if (level !== 'info') line(`${level}: ${message}`, true)
    },
    ended: () => undefined,
  }
}
