import { describe, test } from '@jest/globals'
import { threadedEngine } from '../../src/engine/index.ts'
import { compiled } from '../compiled.ts'
import { nativeTensorflow } from '../engine/native-tensorflow.ts'
import { engineContract } from './engine-contract.ts'

if (nativeTensorflow) engineContract('tensorflow', () => threadedEngine(compiled('engine/tensorflow/index.js')), 'cpu')
else
  describe('the engine tensorflow', () => {
    test.skip('is not set up: npm run setup:tensorflow', () => undefined)
  })
