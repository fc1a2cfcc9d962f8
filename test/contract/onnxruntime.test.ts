import { lanedEngine, threadedEngine } from '../../src/engine/index.ts'
import { compiled } from '../compiled.ts'
import { engineContract } from './engine-contract.ts'

const open = () => threadedEngine(compiled('engine/onnxruntime/index.js'))

engineContract('onnxruntime', open, 'cpu')
engineContract('onnxruntime in lanes', () => lanedEngine(open), 'cpu')
