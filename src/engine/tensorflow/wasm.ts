import type { Engine } from '../engine.ts'
import { createEngine as createTensorflow } from './tensorflow-engine.ts'

/** TensorFlow.js on WebAssembly. A module of its own, because a thread has one backend. */
export const createEngine = (): Promise<Engine> => createTensorflow({ backend: 'wasm' })
