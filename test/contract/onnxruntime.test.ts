import { compiled } from '../compiled.ts'
import { engineContract } from './engine-contract.ts'

engineContract('onnxruntime', compiled('engine/onnxruntime/index.js'), 'cpu')
