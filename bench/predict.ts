// Warm predictions of one sample through GraphQL, against a bare onnxruntime-node session in the same call.
// `npm run bench:predict [-- PREDICTIONS]`
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { graphFromLayers, graphToOnnx } from '../src/architecture/index.ts'
import { MLP_LAYERS } from './model/mlp.ts'
import { random, randomWeights } from './model/random.ts'
import { writeSafetensors } from './model/safetensors.ts'
import { client } from './platform/client.ts'
import { startPlatform } from './platform/start.ts'
import { printTable } from './table.ts'

interface Prediction {
  readonly warm: boolean
  readonly milliseconds: number
  readonly workerMilliseconds: number
  readonly engineMilliseconds: number
}

const PREDICTIONS = Number(process.argv[2] ?? 500)
const PREDICT = `mutation ($input: PredictInput!) {
  predict(input: $input) {
    prediction { warm milliseconds workerMilliseconds engineMilliseconds samples { logits probabilities labels } }
    errors { message }
  }
}`

const folder = await mkdtemp(join(tmpdir(), 'nograd-bench-predict-'))
try {
  await using platform = await startPlatform()
  const api = client(platform.url)
  const graph = graphFromLayers(MLP_LAYERS)
  const weights = randomWeights(graph, 1)
  const checkpoint = join(folder, 'mlp.safetensors')
  await writeSafetensors(
    checkpoint,
    graph.parameters.map(({ name, shape, keys }) => ({
      name: keys[0]!,
      dtype: 'F32',
      shape,
      pieces: () => [new Uint8Array(weights.get(name)!.buffer)],
    })),
  )
  const model = join(folder, 'mlp.onnx')
  await writeFile(
    model,
    graphToOnnx(
      graph,
      new Map(
        [...weights].map(([name, { buffer }]) => [
          name,
          { kind: 'bytes', bytes: new Uint8Array(buffer as ArrayBuffer) },
        ]),
      ),
    ),
  )
  const modelId = await api.createModel({ name: 'mlp', task: 'MULTICLASS', architecture: { layers: MLP_LAYERS } })
  const checkpointId = await api.createCheckpoint({ modelId, name: 'mlp', uploadId: await api.upload(checkpoint) })
  const next = random(2)
  const sample = Array.from({ length: 784 }, () => Math.round(next() * 1000) / 1000)
  const predict = async (): Promise<Prediction> => {
    const { predict: answer } = await api.query<{
      predict: { prediction: Prediction | null; errors: { message: string }[] }
    }>(PREDICT, { input: { checkpointId, inputs: [sample] } })
    if (answer.prediction === null) throw new Error(answer.errors[0]?.message)
    return answer.prediction
  }

  for (let i = 0; i < 20; i++) await predict()
  const bareBefore = await bare(model)
  const times = { client: [] as number[], api: [] as number[], worker: [] as number[], engine: [] as number[] }
  for (let i = 0; i < PREDICTIONS; i++) {
    const begin = performance.now()
    const { warm, milliseconds, workerMilliseconds, engineMilliseconds } = await predict()
    times.client.push(performance.now() - begin)
    if (!warm) throw new Error('a prediction was not warm')
    times.api.push(milliseconds)
    times.worker.push(workerMilliseconds)
    times.engine.push(engineMilliseconds)
  }
  const bareAfter = await bare(model)
  const begin = performance.now()
  for (let i = 0; i < PREDICTIONS; i += 50) await Promise.all(Array.from({ length: 50 }, predict))
  const perSecond = (Math.ceil(PREDICTIONS / 50) * 50 * 1000) / (performance.now() - begin)

  const bareTimes = [...bareBefore, ...bareAfter]
  const row = (name: string, values: readonly number[]): string[] => [
    name,
    quantile(values, 0.5).toFixed(3),
    quantile(values, 0.99).toFixed(3),
    (quantile(values, 0.5) - quantile(bareTimes, 0.5)).toFixed(3),
  ]
  printTable(
    ['MLP 784-512-256-10, one sample', 'p50 ms', 'p99 ms', 'p50 over bare, ms'],
    [
      row('bare onnxruntime-node session', bareTimes),
      row('engine, to its thread and back', times.engine),
      row('inside the worker', times.worker),
      row('inside the API', times.api),
      row('GraphQL over HTTP, as the client sees it', times.client),
    ],
  )
  process.stdout.write(
    `${PREDICTIONS} predictions one after the other; 50 at once: ${perSecond.toFixed(0)} predictions/s.\n`,
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** Milliseconds of each of so many calls of a bare session, in a process of its own. */
async function bare(model: string): Promise<number[]> {
  const program = new URL('bare-predict.mjs', import.meta.url).pathname
  const { stdout } = await promisify(execFile)(process.execPath, [program, model, String(PREDICTIONS)], {
    maxBuffer: 1 << 26,
  })
  return JSON.parse(stdout) as number[]
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!
}
