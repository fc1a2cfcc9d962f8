import type { PredictedSample, Prediction } from './documents.ts'
import { grid } from './grid.ts'
import { formatMetric } from './number-format.ts'

/** Characters of a probability of 1. */
const BAR = 20
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A prediction as text for a terminal: a row for each sample and each of its `top` classes, and a line about how it was computed. */
export function predictionTable(prediction: Prediction, top: number): string {
  const { samples, device, engine, warm, milliseconds, workerMilliseconds, notes } = prediction
  const loaded = warm ? 'weights loaded already' : 'weights loaded for it'
  const about = `on ${device} with ${engine} (${loaded}) in ${milliseconds.toFixed(1)} ms, ${workerMilliseconds.toFixed(1)} ms of it in the worker`
  return [
    samples[0]?.probabilities == null ? valueTable(samples) : classTable(prediction, top),
    '',
    `${samples.length} ${samples.length === 1 ? 'sample' : 'samples'} ${about}`,
    ...notes.map((note) => `note: ${note}`),
  ].join('\n')
}

function classTable({ samples, classes }: Prediction, top: number): string {
  const known = samples.some(({ trueLabels }) => trueLabels !== null)
  const rows = samples.flatMap((sample) => {
    const probabilities = sample.probabilities ?? []
    const best = probabilities
      .map((probability, index) => ({ probability, name: classes[index] ?? String(index) }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, top)
    return best.map(({ name, probability }, rank) => [
      rank === 0 ? nameOf(sample) : '',
      rank === 0 ? sample.labels.join(', ') || '(none)' : '',
      ...(known ? [rank === 0 ? truth(sample) : ''] : []),
      name,
      `${(probability * 100).toFixed(1)} %`,
      bar(probability),
    ])
  })
  return grid(['sample', 'label', ...(known ? ['true'] : []), 'class', 'probability', ''], rows, 'left')
}

/** Where there are no probabilities: the numbers that the model puts out. */
function valueTable(samples: readonly PredictedSample[]): string {
  const labelled = samples.some(({ labels }) => labels.length > 0)
  const known = samples.some(({ trueLabels, trueValues }) => (trueLabels ?? trueValues) !== null)
  return grid(
    ['sample', ...(labelled ? ['label'] : []), ...(known ? ['true'] : []), labelled ? 'logits' : 'value'],
    samples.map((sample) => [
      nameOf(sample),
      ...(labelled ? [sample.labels.join(', ')] : []),
      ...(known ? [truth(sample)] : []),
      sample.logits.map((logit) => (logit === null ? '-inf' : formatMetric(logit))).join('  '),
    ]),
    'left',
  )
}

const nameOf = ({ row, index }: PredictedSample): string => String(row ?? index)

/** What is true, with a cross where the model says something else. */
function truth({ labels, trueLabels, trueValues }: PredictedSample): string {
  if (trueValues !== null) return trueValues.map(formatMetric).join('  ')
  if (trueLabels === null) return ''
  const same = labels.length === trueLabels.length && labels.every((label, i) => label === trueLabels[i])
  return `${trueLabels.join(', ') || '(none)'}${same ? '' : ' ✗'}`
}

function bar(probability: number): string {
  const eighths = Math.round(probability * BAR * 8)
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!
}
