// The whole classification table over 1,000,000 samples of 10 classes in batches of 256, against torchmetrics on the same arrays:
// `npm run bench:metrics -- SAMPLES CLASSES`
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { taskAccumulator } from '../src/metric/index.ts'
import { printTable } from './table.ts'

const PYTHON = process.env['NOGRAD_PYTHON'] ?? 'python3'
const BATCH = 256

if (process.argv[2] === '--ours') ours(process.argv[3]!, Number(process.argv[4]), Number(process.argv[5]))
else compare(Number(process.argv[2] ?? 1_000_000), Number(process.argv[3] ?? 10))

/** In a process of its own, whose peak of memory is ours alone. Prints JSON. */
function ours(folder: string, samples: number, classes: number): void {
  const bytes = readFileSync(join(folder, 'logits.bin'))
  const logits = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  const labels = readFileSync(join(folder, 'targets.bin'))
  const targets = new Int32Array(labels.buffer, labels.byteOffset, labels.byteLength / 4)
  const begin = performance.now()
  const accumulator = taskAccumulator('MULTICLASS', { classes: Array.from({ length: classes }, (_, k) => String(k)) })
  let state = accumulator.empty()
  for (let first = 0; first < samples; first += BATCH) {
    const n = Math.min(BATCH, samples - first)
    state = accumulator.update(state, {
      ...{ first, n, width: classes },
      logits: logits.subarray(first * classes, (first + n) * classes),
      targets: targets.subarray(first, first + n),
    })
  }
  const { metrics } = accumulator.compute(state)
  const seconds = (performance.now() - begin) / 1000
  const value = (name: string): number | null =>
    metrics.find((metric) => metric.name === name && (metric.average ?? 'macro') === 'macro' && metric.class === null)!
      .value
  console.log(
    JSON.stringify({
      seconds,
      megabytes: peakBytes() / 2 ** 20,
      values: metrics.length,
      auroc: value('rocAuc'),
      f1: value('f1'),
    }),
  )
}

/** The most memory that the process ever had, with the arrays and what Node itself takes. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024
}

interface Measured {
  readonly seconds: number
  readonly megabytes: number
  readonly values: number
  readonly auroc: number
  readonly f1: number
}

function compare(samples: number, classes: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'nograd-bench-metrics-'))
  try {
    const targets = Int32Array.from({ length: samples }, () => Math.floor(Math.random() * classes))
    const logits = new Float32Array(samples * classes)
    for (let i = 0; i < samples; i++) {
      for (let k = 0; k < classes; k++) logits[i * classes + k] = 2 * (Math.random() + Math.random() - 1)
      logits[i * classes + targets[i]!]! += 1
    }
    writeFileSync(join(folder, 'logits.bin'), new Uint8Array(logits.buffer))
    writeFileSync(join(folder, 'targets.bin'), new Uint8Array(targets.buffer))
    const program = fileURLToPath(import.meta.url)
    const own = JSON.parse(
      execFileSync(process.execPath, ['--import', 'tsx', program, '--ours', folder, String(samples), String(classes)], {
        encoding: 'utf8',
      }),
    ) as Measured
    const peer = torchmetrics(folder, samples, classes)
    const rate = ({ seconds }: Measured): string => Math.round(samples / seconds).toLocaleString('en-US')
    printTable(
      ['', 'seconds', 'samples/s', 'peak memory', 'macro AUC', 'macro F1', 'ratio'],
      [
        [
          'nograd: all metrics',
          own.seconds.toFixed(2),
          rate(own),
          `${own.megabytes.toFixed(0)} MiB`,
          own.auroc.toFixed(6),
          own.f1.toFixed(6),
          peer === null ? '–' : (peer.seconds / own.seconds).toFixed(2),
        ],
        ...(peer === null
          ? []
          : [
              [
                'torchmetrics: six',
                peer.seconds.toFixed(2),
                rate(peer),
                `${peer.megabytes.toFixed(0)} MiB`,
                peer.auroc.toFixed(6),
                peer.f1.toFixed(6),
                '1',
              ],
            ]),
      ],
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function torchmetrics(folder: string, samples: number, classes: number): Measured | null {
  try {
    const script = fileURLToPath(new URL('torch_metrics.py', import.meta.url))
    const args = [script, folder, String(samples), String(classes), String(BATCH)]
    const printed = execFileSync(PYTHON, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    // Packages may print what is wrong with others.
    return JSON.parse(printed.trim().split('\n').at(-1)!) as Measured
  } catch (error) {
    const line = String((error as { stderr?: string }).stderr ?? error)
      .trim()
      .split('\n')
      .at(-1)
    process.stderr.write(
      `torchmetrics was not measured: ${line}\nInstall it with \`${PYTHON} -m pip install torch torchmetrics\`, or name another Python in NOGRAD_PYTHON.\n`,
    )
    return null
  }
}
