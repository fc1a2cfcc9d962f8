import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Graph } from '../../architecture/index.ts'
import { chooseDevice } from '../choose-device.ts'
import type { Engine } from '../engine.ts'
import { devicesOf } from './devices.ts'
import { loadLibrary, type Backend } from './library.ts'
import { createSession } from './tensorflow-session.ts'
import { refuseUnsupported, unsupportedOperators } from './unsupported-operators.ts'

/** The folder of nograd: this file is three folders below it, compiled or not. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** TensorFlow.js behind the engine contract. */
export interface TensorflowEngine extends Engine {
  /** Operators of a graph that this engine lacks, sorted; none when it can be tried. */
  supports(graph: Graph): readonly string[]
}

/** Where and how TensorFlow.js computes. */
export interface TensorflowOptions {
  readonly backend?: Backend
  /** That `npm run setup:tensorflow` made. */
  readonly folder?: string
}

/**
 * TensorFlow.js. Operations block the thread that they are called in, so that this engine belongs into a thread of its own
 * (`threadedEngine`). TensorFlow takes the number of its threads from the environment of the process, once:
 * TF_NUM_INTRAOP_THREADS; not from `load`.
 * @throws AppError ENGINE_FAILED when the native library is not set up.
 */
export async function createEngine({
  backend = 'tensorflow',
  folder = process.env['NOGRAD_TENSORFLOW'] ?? join(ROOT, '.tensorflow'),
}: TensorflowOptions = {}): Promise<TensorflowEngine> {
  const library = await loadLibrary(backend, folder)
  let devices: ReturnType<typeof devicesOf> | null = null
  return {
    name: 'tensorflow',
    version: library.version,
    devices: () => (devices ??= devicesOf(library)),
    supports: unsupportedOperators,
    async load(graph, parameters, device) {
      chooseDevice(device, await (devices ??= devicesOf(library)))
      refuseUnsupported(graph)
      return createSession(library, graph, parameters)
    },
  }
}
