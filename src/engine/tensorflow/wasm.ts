import { createRequire } from 'node:module'
import type { Device, Engine } from '../engine.ts'
import { processor } from '../processor.ts'
import { lacksOn } from './lacks.ts'
import { createEngine as createTensorflow } from './tensorflow-engine.ts'

/** TensorFlow.js on WebAssembly: for those who ask for TensorFlow and have not set up the native one. A module of its own, because a thread has one backend. */
export const createEngine = (): Promise<Engine> => createTensorflow({ backend: 'wasm' })

/** What is known of this engine before it is loaded, which takes a second of computing. */
export function wasmFacts(): Pick<Engine, 'name' | 'version' | 'lacks'> & { readonly devices: readonly Device[] } {
  const { version } = createRequire(import.meta.url)('@tensorflow/tfjs-backend-wasm/package.json') as {
    version: string
  }
  return { name: 'tensorflow', version, lacks: lacksOn('wasm'), devices: [processor()] }
}
