// The peer of predict: node bare-predict.mjs MODEL CALLS prints the milliseconds of each call as JSON.
import { availableParallelism } from 'node:os'
import ort from 'onnxruntime-node'

const [modelPath, callsText] = process.argv.slice(2)
const session = await ort.InferenceSession.create(modelPath, { intraOpNumThreads: availableParallelism() })
const [input] = session.inputNames
const values = Float32Array.from({ length: 784 }, (_, i) => Math.sin(i))
const times = []
for (let i = -20; i < Number(callsText); i++) {
  const begin = performance.now()
  await session.run({ [input]: new ort.Tensor('float32', values, [1, 784]) })
  if (i >= 0) times.push(performance.now() - begin)
}
process.stdout.write(JSON.stringify(times))
await session.release()
