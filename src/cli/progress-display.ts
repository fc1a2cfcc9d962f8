import { barOn, linesOn, type ProgressStream } from './bar.ts'
import type { EvaluationReporter, Progress, TaskName } from './evaluation-request.ts'
import { formatCount, formatDuration, formatMetric } from './number-format.ts'
import { LARGE_FILE, transferText } from './transfer.ts'

export type { ProgressStream } from './bar.ts'

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
  const bar = barOn(stream)
  const transfer = transferText()
  return {
    uploading: (fileName, sent, total) => {
      if (total >= LARGE_FILE) bar.show(`sending ${fileName}`, sent, total, transfer(sent, total))
    },
    importing: (fileName) => {
      bar.stop()
      stream.write(`importing ${fileName}\n`)
    },
    progressed: (progress) => {
      const { samples, total, samplesPerSecond, etaSeconds } = progress
      const left = etaSeconds === null || samples >= total ? '' : `, ${formatDuration(etaSeconds * 1000)} left`
      const speed = `${formatCount(samples)}/${formatCount(total)}, ${formatCount(samplesPerSecond)}/s${left}`
      bar.show(title, samples, total, `${runningValue(task, progress)} (${speed})`)
    },
    logged: (level, message) => {
      if (level === 'info') return
      bar.stop()
      stream.write(`${level}: ${message}\n`)
    },
    ended: () => bar.stop(),
  }
}

function lineDisplay(stream: ProgressStream, task: TaskName, title: string): EvaluationReporter {
  const line = linesOn(stream)
  const transfer = transferText()
  return {
    uploading: (fileName, sent, total) => {
      if (total >= LARGE_FILE) line(`sending ${fileName}: ${transfer(sent, total)}`, false)
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
