// Milliseconds until a session of a 45 MB ResNet-18 is ready with its weights in a worker's cache, against ONNX Runtime opening the same
// model from a local file, in the same call. `npm run bench:session-ready [-- ROUNDS]`
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { pino } from 'pino'
import { graphToOnnx } from '../src/architecture/index.ts'
import { lanedEngine, threadedEngine } from '../src/engine/index.ts'
import { startEmbeddedPostgres } from '../src/store/embedded/index.ts'
import { migrate, openStore } from '../src/store/index.ts'
import {
  createModel,
  DEFAULT_PLATFORM_LIMITS,
  importCheckpoint,
  loadModelPlan,
  receiveUpload,
  type Platform,
} from '../src/usecase/index.ts'
import { openBlobCache } from '../src/worker/blob-cache/index.ts'
import { loadWeights } from '../src/worker/load-weights.ts'
import { randomWeights } from './model/random.ts'
import { resnet18 } from './model/resnet18.ts'
import { writeSafetensors } from './model/safetensors.ts'
import { printTable } from './table.ts'

const ROUNDS = Number(process.argv[2] ?? 7)
const ENGINE = new URL('../dist/engine/onnxruntime/index.js', import.meta.url)
const threads = availableParallelism()

const folder = await mkdtemp(join(tmpdir(), 'nograd-bench-session-'))
try {
  const log = pino({ level: 'warn' })
  await using postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data'), log })
  await migrate(postgres.url, log)
  await using store = await openStore({ databaseUrl: postgres.url, log })
  const spoolDir = join(folder, 'spool')
  const platform: Platform = {
    ...{ store, spoolDir, log, clock: () => new Date(), limits: DEFAULT_PLATFORM_LIMITS },
    programs: new URL('../dist/', import.meta.url),
  }

  const graph = resnet18()
  const weights = randomWeights(graph, 7)
  const bytesOf = (name: string) => new Uint8Array(weights.get(name)!.buffer)
  const onnx = graphToOnnx(
    graph,
    new Map([...weights.keys()].map((name) => [name, { kind: 'bytes', bytes: bytesOf(name) }])),
  )
  const [modelPath, weightsPath] = [join(folder, 'model.onnx'), join(folder, 'model.safetensors')]
  await writeFile(modelPath, onnx)
  const kept = graph.parameters.filter(({ name }) => weights.has(name))
  await writeSafetensors(
    weightsPath,
    kept.map(({ name, shape }) => ({ name, dtype: 'F32', shape, pieces: () => [bytesOf(name)] })),
  )
  const upload = async (path: string, fileName: string) =>
    (await receiveUpload(platform, { fileName, body: createReadStream(path) })).id
  const model = await createModel(platform, {
    ...{ name: 'resnet18', task: 'MULTICLASS' },
    architecture: { uploadId: await upload(modelPath, 'model.onnx') },
  })
  const { id: checkpointId } = await importCheckpoint(platform, {
    modelId: model.id,
    uploadId: await upload(weightsPath, 'model.safetensors'),
  })

  await using cache = await openBlobCache({
    folder: join(folder, 'cache'),
    maxBytes: 2 ** 31,
    source: { size: (sha256) => store.bytes.size(sha256), read: (sha256) => store.bytes.read(sha256) },
    log,
  })
  await using engine = await lanedEngine(() => threadedEngine(ENGINE))
  const ready = async (): Promise<number> => {
    const begun = performance.now()
    const plan = await loadModelPlan(platform, { checkpointId, strict: true, keyMapping: null })
    await using lease = cache.lease()
    const parameters = await loadWeights(plan, lease, new AbortController().signal)
    await using _session = await engine.load(plan.graph, parameters, 'cpu', { threads })
    return performance.now() - begun
  }
  const bare = async (): Promise<number> => {
    const begun = performance.now()
    const session = await ort.InferenceSession.create(modelPath, { intraOpNumThreads: threads })
    const milliseconds = performance.now() - begun
    await session.release()
    return milliseconds
  }
  const cold = await ready()
  await bare()
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    times[0].push(await bare())
    times[1].push(await ready())
  }
  const [local, warm] = times.map((values) => [...values].sort((a, b) => a - b)[values.length >> 1]!) as [
    number,
    number,
  ]
  printTable(
    ['ONNX Runtime, local file ms', 'warm cache ms', 'ratio', 'cold cache ms'],
    [[local.toFixed(0), warm.toFixed(0), (warm / local).toFixed(2), cold.toFixed(0)]],
  )
  process.stdout.write(
    `Median of ${ROUNDS} rounds, taken in turns. Warm: binding from the database, ${kept.length} weights of the cache, one session for each lane ` +
      '(as many as a worker has). Cold: the weights come from PostgreSQL first.\n',
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}
