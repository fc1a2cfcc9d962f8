import { describe, expect, test } from '@jest/globals'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lazyEngine, threadedEngine } from '../../src/engine/index.ts'
import { wasmFacts } from '../../src/engine/tensorflow/index.ts'
import { compiled } from '../compiled.ts'
import { nativeTensorflow } from '../engine/native-tensorflow.ts'
import { webgpuAdapter } from '../engine/webgpu-adapter.ts'
import { engineContract } from './engine-contract.ts'

const program = compiled('engine/engine-thread.js')
const webgpuFolder = process.env['NOGRAD_WEBGPU'] ?? fileURLToPath(new URL('../../.webgpu', import.meta.url))

if (nativeTensorflow)
  engineContract('tensorflow', () => threadedEngine(compiled('engine/tensorflow/index.js'), { program }), 'cpu')
else
  describe('the engine tensorflow', () => {
    test.skip('is not set up: npm run setup:tensorflow', () => undefined)
  })

engineContract(
  'tensorflow on wasm',
  () =>
    Promise.resolve(lazyEngine(wasmFacts(), () => threadedEngine(compiled('engine/tensorflow/wasm.js'), { program }))),
  'cpu',
)

test('what is said of the engine on WebAssembly before it is loaded is what it says itself', async () => {
  await using engine = await threadedEngine(compiled('engine/tensorflow/wasm.js'), { program })
  const { name, version, lacks } = engine
  expect(wasmFacts()).toEqual({ name, version, lacks, devices: await engine.devices() })
})

if (webgpuAdapter && existsSync(webgpuFolder))
  engineContract('tensorflow', () => threadedEngine(compiled('engine/tensorflow/webgpu.js'), { program }), 'webgpu')
else
  describe('the engine tensorflow on webgpu', () => {
    test.skip('is not set up, or has no adapter: npm run setup:webgpu, test/engine/webgpu-adapter.ts', () => undefined)
  })
