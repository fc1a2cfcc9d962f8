import { describe, test } from '@jest/globals'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { threadedEngine } from '../../src/engine/index.ts'
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

if (webgpuAdapter && existsSync(webgpuFolder))
  engineContract('tensorflow', () => threadedEngine(compiled('engine/tensorflow/webgpu.js'), { program }), 'webgpu')
else
  describe('the engine tensorflow on webgpu', () => {
    test.skip('is not set up, or has no adapter: npm run setup:webgpu, test/engine/webgpu-adapter.ts', () => undefined)
  })
