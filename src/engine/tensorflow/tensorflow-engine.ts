import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chooseDevice } from '../choose-device.ts'
import type { Engine } from '../engine.ts'
import { loadLibrary, type Backend } from './library.ts'
import { createSession } from './tensorflow-session.ts'
import { lacksOn, refuseUnsupported } from './lacks.ts'

/** The folder of nograd: this file is three folders below it, compiled or not. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Where and how TensorFlow.js computes. */
export interface TensorflowOptions {
  readonly backend?: Backend
  /** That `npm run setup:tensorflow` made, or `npm run setup:webgpu`. */
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
  folder = folderOf(backend),
}: TensorflowOptions = {}): Promise<Engine> {
  const library = await loadLibrary(backend, folder)
  return {
    name: 'tensorflow',
    version: library.version,
    devices: () =>
      Promise.resolve().then(() => {
        library.reports.checkPresent()
        return library.devices
      }),
    lacks: lacksOn(backend),
    async load(graph, parameters, device) {
      chooseDevice(device, library.devices)
      refuseUnsupported(graph, backend)
      return await createSession(library, graph, parameters)
    },
  }
}

const folderOf = (backend: Backend): string =>
  backend === 'webgpu'
    ? (process.env['NOGRAD_WEBGPU'] ?? join(ROOT, '.webgpu'))
    : (process.env['NOGRAD_TENSORFLOW'] ?? join(ROOT, '.tensorflow'))
