// The peer of eval-throughput: node bare-loop.mjs MODEL DATA BATCH SHAPE prints samples per second.
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import ort from 'onnxruntime-node'

const [modelPath, dataPath, batchText, shapeText] = process.argv.slice(2)
const batch = Number(batchText)
const shape = JSON.parse(shapeText)
const file = await readFile(dataPath)
const headerBytes = Number(file.readBigUInt64LE(0))
const { x } = JSON.parse(file.subarray(8, 8 + headerBytes).toString())
const [start, end] = x.data_offsets
const bytes = file.subarray(8 + headerBytes + start, 8 + headerBytes + end)
const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
const width = shape.reduce((a, b) => a * b, 1)
const rows = values.length / width
const session = await ort.InferenceSession.create(modelPath, { intraOpNumThreads: availableParallelism() })
const [input] = session.inputNames
const [output] = session.outputNames
const runBatch = (row) => {
  const count = Math.min(batch, rows - row)
  const tensor = new ort.Tensor('float32', values.subarray(row * width, (row + count) * width), [count, ...shape])
  return session.run({ [input]: tensor })
}
await runBatch(0)
const begun = performance.now()
let sum = 0
for (let row = 0; row < rows; row += batch) sum += (await runBatch(row))[output].data[0]
const seconds = (performance.now() - begun) / 1000
if (!Number.isFinite(sum)) throw new Error('the logits are not finite')
process.stdout.write(String(rows / seconds))
await session.release()
