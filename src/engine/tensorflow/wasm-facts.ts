import { createRequire } from 'node:module'
import type { Device, Engine } from '../engine.ts'
import { processor } from '../processor.ts'
import { lacksOn } from './lacks.ts'

/** What is known of TensorFlow.js on WebAssembly before it is loaded, which takes a second of computing. */
export function wasmFacts(): Pick<Engine, 'name' | 'version' | 'lacks'> & { readonly devices: readonly Device[] } {
  const { version } = createRequire(import.meta.url)('@tensorflow/tfjs-backend-wasm/package.json') as {
    version: string
  }
  return { name: 'tensorflow', version, lacks: lacksOn('wasm'), devices: [processor()] }
}
