import { describe, expect, test } from '@jest/globals'
import { lanedEngine, threadedEngine } from '../../src/engine/index.ts'
import { compiled } from '../compiled.ts'
import { floats, graph, node, value } from '../engine/graphs.ts'
import { webgpuAdapter } from '../engine/webgpu-adapter.ts'
import { engineContract } from './engine-contract.ts'

const open = () => threadedEngine(compiled('engine/onnxruntime/index.js'))

engineContract('onnxruntime', open, 'cpu')

test('onnxruntime says when the memory is full, and goes on', async () => {
  await using engine = await open()
  // 64 TiB for one sample.
  const size = new Uint8Array(BigInt64Array.of(1n, 2n ** 44n).buffer)
  const huge = graph({
    inputs: [value('x', [1])],
    outputs: [value('y', [1])],
    nodes: [node('Expand', ['x', 'size'], 'wide'), node('ReduceSum', ['wide', 'axes'], 'y')],
    constants: [
      { name: 'size', dtype: 'int64', shape: [2], bytes: size },
      { name: 'axes', dtype: 'int64', shape: [1], bytes: new Uint8Array(BigInt64Array.of(1n).buffer) },
    ],
  })
  await using session = await engine.load(huge, new Map(), 'cpu', { threads: 1 })
  for (let i = 0; i < 2; i++)
    await expect(session.run(new Map([['x', floats([1, 1], [1])]]))).rejects.toMatchObject({
      code: 'DEVICE_OUT_OF_MEMORY',
    })
})

engineContract('onnxruntime in lanes', () => lanedEngine(open), 'cpu')
if (webgpuAdapter) engineContract('onnxruntime', () => lanedEngine(open), 'webgpu')
else
  describe('the engine onnxruntime on webgpu', () => {
    test.skip('has no adapter: test/engine/webgpu-adapter.ts says how to give it one', () => undefined)
  })
