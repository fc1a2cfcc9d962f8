// A dataset that does not fit in memory: made, sent, imported and evaluated, with the peak memory of the processes beside that of a tenth of it.
// `npm run bench:large-dataset [-- --help]`
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { random } from './model/random.ts'
import { writeSafetensors } from './model/safetensors.ts'
import { client } from './platform/client.ts'
import { peakMemory, resetPeak } from './platform/memory.ts'
import { startPlatform } from './platform/start.ts'
import { printTable } from './table.ts'

const USAGE = `npm run bench:large-dataset [-- OPTIONS]
  --gb N            size of the file in 10⁹ bytes (default: 5); five times as much is needed on the disk
  --formats a,b     safetensors, csv (default: both)`
const { values: options } = parseArgs({
  options: {
    gb: { type: 'string', default: '5' },
    formats: { type: 'string', default: 'safetensors,csv' },
    help: { type: 'boolean', default: false },
  },
})

type Api = ReturnType<typeof client>
type Format = 'safetensors' | 'csv'

const FEATURES = 256
const CLASSES = 10
/** Bytes of a row of features. */
const ROW_BYTES = FEATURES * 4
/** Rows that are made at a time. */
const STEP = 1024
/** Digits after the point in a CSV. */
const DIGITS = 5

/** Samples whose label is the largest of the first ten features, but for one in ten. */
interface Samples {
  /** Pieces of `STEP` rows and fewer. */
  pieces(): Generator<{ readonly x: Float32Array; readonly y: Float32Array }>
  /** Of a model that says the largest of the first ten; after all pieces. */
  right(): number
}

function samples(rows: number): Samples {
  let right = 0
  return {
    *pieces() {
      const next = random(rows)
      right = 0
      // The same random rows, moved by one feature each time: random numbers would take longer than everything else.
      const pool = Float32Array.from({ length: (STEP + 1) * FEATURES }, () => Math.round(next() * 1e5) / 1e5)
      for (let row = 0, turn = 0; row < rows; row += STEP, turn++) {
        const count = Math.min(STEP, rows - row)
        const from = turn % FEATURES
        const x = pool.slice(from, from + count * FEATURES)
        const y = new Float32Array(count)
        for (let i = 0; i < count; i++) {
          let best = 0
          for (let k = 1; k < CLASSES; k++) if (x[i * FEATURES + k]! > x[i * FEATURES + best]!) best = k
          y[i] = (row + i) % 10 === 0 ? (best + 1) % CLASSES : best
          right += y[i] === best ? 1 : 0
        }
        yield { x, y }
      }
    },
    right: () => right,
  }
}

/** Writes about as many bytes, and says how many rows they are and what part of them is right. */
async function makeFile(
  path: string,
  format: Format,
  bytes: number,
): Promise<{ readonly rows: number; readonly accuracy: number }> {
  if (format === 'csv') {
    const rows = Math.ceil(bytes / (FEATURES * (DIGITS + 3.5)))
    const own = samples(rows)
    await pipeline(Readable.from(csvLines(own)), createWriteStream(path))
    return { rows, accuracy: own.right() / rows }
  }
  const rows = Math.ceil(bytes / (ROW_BYTES + 8))
  const own = samples(rows)
  await writeSafetensors(path, [
    {
      name: 'x',
      dtype: 'F32',
      shape: [rows, FEATURES],
      *pieces() {
        for (const { x } of own.pieces()) yield new Uint8Array(x.buffer)
      },
    },
    {
      name: 'y',
      dtype: 'I64',
      shape: [rows],
      *pieces() {
        for (const { y } of own.pieces()) yield new Uint8Array(BigInt64Array.from([...y], BigInt).buffer)
      },
    },
  ])
  return { rows, accuracy: own.right() / rows }
}

function* csvLines(own: Samples): Generator<string> {
  yield `${Array.from({ length: FEATURES }, (_, i) => `f${i}`).join(',')},y\n`
  for (const { x, y } of own.pieces()) {
    const lines: string[] = []
    for (let i = 0; i < y.length; i++)
      lines.push(
        `${Array.from(x.subarray(i * FEATURES, (i + 1) * FEATURES), (v) => v.toFixed(DIGITS)).join(',')},${y[i]}`,
      )
    yield `${lines.join('\n')}\n`
  }
}

/** A layer whose logits are the first ten features. */
async function makeModel(folder: string, api: Api): Promise<string> {
  const layers = {
    layers: [{ type: 'Linear', in_features: FEATURES, out_features: CLASSES, bias: false }],
    input: [FEATURES],
  }
  const weight = new Float32Array(CLASSES * FEATURES)
  for (let k = 0; k < CLASSES; k++) weight[k * FEATURES + k] = 1
  const [architecture, weights] = [join(folder, 'm.layers.json'), join(folder, 'm.safetensors')]
  await writeFile(architecture, JSON.stringify(layers))
  const pieces = () => [new Uint8Array(weight.buffer)]
  await writeSafetensors(weights, [{ name: '0.weight', dtype: 'F32', shape: [CLASSES, FEATURES], pieces }])
  const modelId = await api.createModel({
    name: 'first ten',
    task: 'MULTICLASS',
    architecture: { uploadId: await api.upload(architecture) },
  })
  return await api.createCheckpoint({ modelId, uploadId: await api.upload(weights) })
}

async function main(): Promise<void> {
  const bytes = Number(options.gb) * 1e9
  const folder = await mkdtemp(join(tmpdir(), 'nograd-bench-large-'))
  const rows: string[][] = []
  try {
    await using platform = await startPlatform()
    const api = client(platform.url)
    const checkpointId = await makeModel(folder, api)
    for (const format of options.formats.split(',') as Format[])
      for (const size of [bytes / 10, bytes])
        rows.push(await measure(folder, api, checkpointId, format, size, [platform.pid, await api.workerPid()]))
  } finally {
    await rm(folder, { recursive: true, force: true })
    if (rows.length > 0)
      printTable(
        [
          'format',
          'GB',
          'rows',
          'import',
          'MB/s',
          'server peak',
          'run',
          'samples/s',
          'server peak',
          'worker peak',
          'accuracy',
        ],
        rows,
      )
  }
}

async function measure(
  folder: string,
  api: Api,
  checkpointId: string,
  format: Format,
  wanted: number,
  pids: readonly [server: number, worker: number],
): Promise<string[]> {
  const path = join(folder, `data.${format}`)
  say(`${format}: making ${(wanted / 1e9).toFixed(1)} GB`)
  const { rows, accuracy } = await makeFile(path, format, wanted)
  const { size } = await stat(path)
  say('sending it')
  const uploadId = await api.upload(path)
  await rm(path)
  say('importing it')
  for (const pid of pids) await resetPeak(pid)
  let begun = performance.now()
  const datasetId = await api.createDataset({ name: `${format} ${size}`, uploadId })
  const importS = (performance.now() - begun) / 1000
  const imported = await peakMemory(pids[0])
  say('evaluating it')
  for (const pid of pids) await resetPeak(pid)
  begun = performance.now()
  const runId = await api.startRun({ checkpointId, datasetId })
  await api.followRun(runId)
  const runS = (performance.now() - begun) / 1000
  const peaks = await Promise.all(pids.map(peakMemory))
  const { run } = await api.query<{ run: { metrics: { name: string; value: number }[] } }>(
    'query ($id: ID!) { run(id: $id) { metrics { name value } } }',
    { id: runId },
  )
  const found = run.metrics.find(({ name }) => name === 'accuracy')?.value
  if (found !== accuracy) throw new Error(`the accuracy of ${rows} rows is ${found}, not ${accuracy}`)
  const mib = (peak: number): string => `${(peak / 2 ** 20).toFixed(0)} MiB`
  return [
    ...[format, (size / 1e9).toFixed(2), rows.toLocaleString('en-US')],
    ...[`${importS.toFixed(1)} s`, (size / 1e6 / importS).toFixed(0), mib(imported)],
    ...[`${runS.toFixed(1)} s`, Math.round(rows / runS).toLocaleString('en-US'), mib(peaks[0]!), mib(peaks[1]!)],
    `${found.toFixed(6)}, as it has to be`,
  ]
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)

if (options.help) process.stdout.write(`${USAGE}\n`)
else await main()
