// Samples/s of a whole run, from startRun to the final event, against a bare onnxruntime-node loop in the same call.
// `npm run bench:eval-throughput [-- ROUNDS]`
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { graphFromLayers, graphToOnnx, type Graph } from '../src/architecture/index.ts'
import { MLP_LAYERS } from './model/mlp.ts'
import { random, randomWeights } from './model/random.ts'
import { resnet18 } from './model/resnet18.ts'
import { writeSafetensors, type Entry } from './model/safetensors.ts'
import { client } from './platform/client.ts'
import { peakMemory, resetPeak } from './platform/memory.ts'
import { startPlatform } from './platform/start.ts'
import { printTable } from './table.ts'

interface Case {
  readonly name: string
  readonly graph: Graph
  readonly features: readonly number[]
  readonly classes: number
  readonly rows: number
  readonly batchSize: number
  /** A quarter of the samples, to see whether memory grows. */
  readonly fewRows: number
}

const ROUNDS = Number(process.argv[2] ?? 3)
const CASES: readonly Case[] = [
  {
    name: 'MLP 784-512-256-10',
    graph: graphFromLayers(MLP_LAYERS),
    features: [784],
    classes: 10,
    rows: 200_000,
    fewRows: 50_000,
    batchSize: 512,
  },
  {
    name: 'ResNet-18 3×224×224',
    graph: resnet18(),
    features: [3, 224, 224],
    classes: 1000,
    rows: 512,
    fewRows: 128,
    batchSize: 16,
  },
]

const folder = await mkdtemp(join(tmpdir(), 'nograd-bench-eval-'))
try {
  await using platform = await startPlatform()
  const api = client(platform.url)
  const table: string[][] = []
  for (const item of CASES) table.push(await measure(item, api))
  printTable(
    [
      'model',
      'samples',
      'batch',
      'bare loop /s',
      'first run /s',
      'ratio',
      'run, warm cache /s',
      'ratio',
      'worker peak MiB',
      '…at ¼ of the samples',
    ],
    table,
  )
  process.stdout.write(
    `Best of ${ROUNDS} rounds, taken in turns; ${availableParallelism()} cores. The first run also brings weights and data from\n` +
      'PostgreSQL into the worker’s cache; later runs find them there.\n',
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function measure(item: Case, api: ReturnType<typeof client>): Promise<string[]> {
  const key = item.name.replaceAll(/\W+/g, '-')
  const weights = randomWeights(item.graph, 7)
  const onnx = graphToOnnx(
    item.graph,
    new Map([...weights].map(([name, values]) => [name, { kind: 'bytes', bytes: new Uint8Array(values.buffer) }])),
  )
  const modelPath = join(folder, `${key}.onnx`)
  const weightsPath = join(folder, `${key}.safetensors`)
  await writeFile(modelPath, onnx)
  await writeSafetensors(
    weightsPath,
    item.graph.parameters
      .filter(({ name }) => weights.has(name))
      .map(({ name, shape }) => ({
        name,
        dtype: 'F32',
        shape,
        pieces: () => [new Uint8Array(weights.get(name)!.buffer)],
      })),
  )
  const modelId = await api.createModel({
    name: item.name,
    task: 'MULTICLASS',
    architecture: { uploadId: await api.upload(modelPath) },
  })
  const checkpointId = await api.createCheckpoint({ modelId, uploadId: await api.upload(weightsPath) })
  const datasetOf = async (rows: number) => {
    const path = join(folder, `${key}-${rows}.safetensors`)
    await writeSafetensors(path, samples(item, rows))
    return { path, id: await api.createDataset({ name: `${key}-${rows}`, uploadId: await api.upload(path) }) }
  }
  const few = await datasetOf(item.fewRows)
  const all = await datasetOf(item.rows)

  const run = async (datasetId: string, rows: number) => {
    const begun = performance.now()
    await api.followRun(await api.startRun({ checkpointId, datasetId, batchSize: item.batchSize }))
    return rows / ((performance.now() - begun) / 1000)
  }
  const pid = await api.workerPid()
  const peakOf = async (datasetId: string, rows: number) => {
    await resetPeak(pid)
    await run(datasetId, rows)
    return await peakMemory(pid)
  }
  const cold = await run(all.id, item.rows)
  await run(few.id, item.fewRows)
  const peakFew = await peakOf(few.id, item.fewRows)
  const peakAll = await peakOf(all.id, item.rows)
  let warm = 0
  let bare = 0
  for (let round = 0; round < ROUNDS; round++) {
    bare = Math.max(bare, await bareLoop(modelPath, all.path, item))
    warm = Math.max(warm, await run(all.id, item.rows))
  }
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
  return [
    item.name,
    String(item.rows),
    String(item.batchSize),
    bare.toFixed(0),
    cold.toFixed(0),
    (cold / bare).toFixed(2),
    warm.toFixed(0),
    (warm / bare).toFixed(2),
    mib(peakAll),
    mib(peakFew),
  ]
}

/** The peer, in a process of its own: every sample in memory, and nothing but `session.run`. */
async function bareLoop(modelPath: string, dataPath: string, item: Case): Promise<number> {
  const script = new URL('bare-loop.mjs', import.meta.url).pathname
  const args = [script, modelPath, dataPath, String(item.batchSize), JSON.stringify(item.features)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return Number(stdout)
}

function samples(item: Case, rows: number): Entry[] {
  const width = item.features.reduce((a, b) => a * b, 1)
  const next = random(11)
  return [
    {
      name: 'x',
      dtype: 'F32',
      shape: [rows, ...item.features],
      *pieces() {
        const step = Math.max(1, Math.floor(2 ** 20 / width))
        for (let row = 0; row < rows; row += step) {
          const values = new Float32Array(Math.min(step, rows - row) * width)
          for (let i = 0; i < values.length; i++) values[i] = next()
          yield new Uint8Array(values.buffer)
        }
      },
    },
    {
      name: 'y',
      dtype: 'I64',
      shape: [rows],
      *pieces() {
        yield new Uint8Array(
          BigInt64Array.from({ length: rows }, () => BigInt(Math.floor(next() * item.classes))).buffer,
        )
      },
    },
  ]
}
