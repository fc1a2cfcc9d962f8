import { describe, expect, test } from '@jest/globals'
import { lanedEngine, threadedEngine } from '../../src/engine/index.ts'
import { computeInFloat16 } from '../../src/architecture/index.ts'
import { batchDecoder } from '../../src/evaluation/decode-batch.ts'
import { compiled } from '../compiled.ts'
import { temporaryFolder } from '../engine/parameter-file.ts'
import { expectedLogits, fixtureCase } from '../evaluation/fixture-case.ts'
import { floats, graph, int, int64s, node, value } from '../engine/graphs.ts'
import { webgpuAdapter } from '../engine/webgpu-adapter.ts'
import { engineContract } from './engine-contract.ts'

const open = () => threadedEngine(compiled('engine/onnxruntime/index.js'))

engineContract('onnxruntime', open, 'cpu')

test('onnxruntime says when the memory is full, and goes on', async () => {
  await using engine = await open()
  // 64 TiB for one sample.
  const huge = graph({
    inputs: [value('x', [1])],
    outputs: [value('y', [1])],
    nodes: [node('Expand', ['x', 'size'], 'wide'), node('ReduceSum', ['wide', 'axes'], 'y')],
    constants: [int64s('size', 1n, 2n ** 44n), int64s('axes', 1n)],
  })
  await using session = await engine.load(huge, new Map(), 'cpu', { threads: 1 })
  for (let i = 0; i < 2; i++)
    await expect(session.run(new Map([['x', floats([1, 1], [1])]]))).rejects.toMatchObject({
      code: 'DEVICE_OUT_OF_MEMORY',
    })
})

test('onnxruntime executes in parts what the memory does not hold at a time', async () => {
  await using engine = await open()
  // As wide as 64 TiB for each sample beyond two.
  const growing = graph({
    inputs: [value('x', [1])],
    outputs: [value('y', [1])],
    nodes: [
      node('Shape', ['x'], 'n', { start: int(0), end: int(1) }),
      node('Sub', ['n', 'two'], 'beyond'),
      node('Mul', ['beyond', 'much'], 'more'),
      node('Max', ['more', 'one'], 'width'),
      node('Concat', ['one', 'width'], 'size', { axis: int(0) }),
      node('Expand', ['x', 'size'], 'wide'),
      node('ReduceSum', ['wide', 'one'], 'y'),
    ],
    constants: [int64s('one', 1n), int64s('two', 2n), int64s('much', 2n ** 44n)],
  })
  await using session = await engine.load(growing, new Map(), 'cpu', { threads: 1 })
  const run = (...x: number[]) => session.run(new Map([['x', floats([x.length, 1], x)]]))
  const { outputs, inputs, split } = await run(1, 2, 3, 4, 5, 6, 7)
  expect(outputs.get('y')).toMatchObject({ shape: [7, 1], data: Float32Array.of(1, 2, 3, 4, 5, 6, 7) })
  expect(inputs.get('x')?.shape).toEqual([7, 1])
  expect(split).toBe(2)
  // It knows from now on, and small batches are none of its business.
  expect(await run(5, 6, 7)).toMatchObject({ split: 2 })
  expect((await run(8, 9)).split).toBeUndefined()
})

test('a graph in float16 answers as the same graph in float32, as far as float16 goes', async () => {
  await using engine = await open()
  await using folder = await temporaryFolder()
  const files = { architecture: 'digits_cnn.onnx', checkpoint: 'digits_cnn.pth', dataset: 'digits_test.npz' } as const
  const half = await fixtureCase({ ...files, task: 'MULTICLASS', change: computeInFloat16 }, folder.path)
  expect(new Set(half.graph.parameters.map(({ dtype }) => dtype))).toEqual(new Set(['float16', 'int64']))
  // The processor computes each operator in float32 and rounds between them.
  await using session = await engine.load(half.graph, half.parameters, 'cpu', { threads: 1 })
  const expected = await expectedLogits('digits_cnn')
  const { inputs } = await batchDecoder(half.graph, half.fit, [], half.columns).decode(0, 64)
  const { outputs } = await session.run(inputs)
  const logits = outputs.get('logits')!
  expect(logits.dtype).toBe('float32')
  const differences = [...(logits.data as Float32Array)].map((logit, i) => Math.abs(logit - expected[i]!))
  const largest = Math.max(...expected.map(Math.abs))
  // Eleven bits of fraction, over a few layers.
  expect(Math.max(...differences) / largest).toBeLessThan(5e-3)
  // It did round.
  expect(Math.max(...differences) / largest).toBeGreaterThan(1e-5)
})

engineContract('onnxruntime in lanes', () => lanedEngine(open), 'cpu')
if (webgpuAdapter) engineContract('onnxruntime', () => lanedEngine(open), 'webgpu')
else
  describe('the engine onnxruntime on webgpu', () => {
    test.skip('has no adapter: test/engine/webgpu-adapter.ts says how to give it one', () => undefined)
  })
