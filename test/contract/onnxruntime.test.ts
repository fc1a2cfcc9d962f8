import { describe, test } from '@jest/globals'
import { lanedEngine, threadedEngine } from '../../src/engine/index.ts'
import { compiled } from '../compiled.ts'
import { webgpuAdapter } from '../engine/webgpu-adapter.ts'
import { engineContract } from './engine-contract.ts'

const open = () => threadedEngine(compiled('engine/onnxruntime/index.js'))

engineContract('onnxruntime', open, 'cpu')
engineContract('onnxruntime in lanes', () => lanedEngine(open), 'cpu')
if (webgpuAdapter) engineContract('onnxruntime', () => lanedEngine(open), 'webgpu')
else
  describe('the engine onnxruntime on webgpu', () => {
    test.skip('has no adapter: test/engine/webgpu-adapter.ts says how to give it one', () => undefined)
  })
