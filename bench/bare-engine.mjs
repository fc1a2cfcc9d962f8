// The peer of bench/engines: node bare-engine.mjs MODEL INPUT SHAPE PROVIDER SECONDS prints samples per second of nothing but `session.run`.
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import ort from 'onnxruntime-node'

const [modelPath, inputPath, shapeText, provider, seconds] = process.argv.slice(2)
const shape = JSON.parse(shapeText)
const bytes = await readFile(inputPath)
const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
// Each batch of a dataset lies elsewhere in memory: one that is always the same would stay in the processor's cache.
const batches = Array.from({ length: 4 }, () => values.slice())
let next = 0
const session = await ort.InferenceSession.create(modelPath, {
  executionProviders: [provider],
  intraOpNumThreads: availableParallelism(),
  logSeverityLevel: 4,
})
const [output] = session.outputNames
const run = async () =>
  (await session.run({ x: new ort.Tensor('float32', batches[next++ % batches.length], shape) }))[output].data[0]
for (let i = 0; i < 3; i++) await run()
const begun = performance.now()
let count = 0
let sum = 0
for (; performance.now() - begun < Number(seconds) * 1000; count++) sum += await run()
if (!Number.isFinite(sum)) throw new Error('the logits are not finite')
process.stdout.write(String((count * shape[0]) / ((performance.now() - begun) / 1000)))
await session.release()
