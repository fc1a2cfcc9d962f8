import { existsSync } from 'node:fs'
import type { Logger } from 'pino'
import { lanedEngine, lazyEngine, threadedEngine, type ThreadedEngine } from '../engine/index.ts'
import { wasmFacts } from '../engine/tensorflow/index.ts'
import { AppError } from '../error.ts'
import type { Settings } from './settings.ts'

/** Where each engine is, for a thread of its own. Nothing else names a concrete engine. */
const MODULES = {
  onnxruntime: new URL('../engine/onnxruntime/index.js', import.meta.url),
  tensorflow: new URL('../engine/tensorflow/index.js', import.meta.url),
  'tensorflow on webgpu': new URL('../engine/tensorflow/webgpu.js', import.meta.url),
  'tensorflow on wasm': new URL('../engine/tensorflow/wasm.js', import.meta.url),
} as const
type ModuleName = keyof typeof MODULES

/** The engines of a worker, in the order in which they are preferred for one and the same device. */
export interface OpenEngines extends AsyncDisposable {
  readonly engines: readonly ThreadedEngine[]
}

/**
 * Starts the engines that the settings name, each in a thread of its own. TensorFlow computes with its native library after `npm run
 * setup:tensorflow`, with WebAssembly otherwise, and on a graphics card besides after `npm run setup:webgpu`.
 * @throws AppError ENGINE_FAILED of an engine that does not start.
 */
export async function openEngines(settings: Settings, log: Logger): Promise<OpenEngines> {
  const wanted = settings.engines.flatMap((name) => modulesOf(name, settings))
  if (wanted.includes('tensorflow')) tellTensorflow(settings)
  if (wanted.includes('tensorflow on webgpu')) process.env['NOGRAD_WEBGPU'] ??= settings.webgpuFolder
  const engines: ThreadedEngine[] = []
  const close = async () => {
    for (const engine of engines) await engine[Symbol.asyncDispose]()
  }
  try {
    for (const name of wanted) {
      try {
        engines.push(await openEngine(name))
      } catch (error) {
        // One engine that is broken is no reason to evaluate nothing.
        if (wanted.length === 1 || !(error instanceof AppError)) throw error
        log.warn({ engine: name, reason: error.message }, 'an engine did not start; going on without it')
      }
    }
    if (engines.length === 0) throw new AppError('ENGINE_FAILED', `none of the engines ${wanted.join(', ')} started`)
  } catch (error) {
    await close()
    throw error
  }
  return { engines, [Symbol.asyncDispose]: close }
}

function modulesOf(name: Settings['engines'][number], settings: Settings): readonly ModuleName[] {
  if (name !== 'tensorflow') return [name]
  return [
    existsSync(settings.tensorflowFolder) ? 'tensorflow' : 'tensorflow on wasm',
    ...(existsSync(settings.webgpuFolder) ? ['tensorflow on webgpu' as const] : []),
  ]
}

/** TensorFlow has threads of its own, which all its sessions share. */
function openEngine(name: ModuleName): Promise<ThreadedEngine> {
  const open = () => threadedEngine(MODULES[name])
  if (name === 'tensorflow on wasm') return Promise.resolve(lazyEngine(wasmFacts(), open))
  return name === 'onnxruntime' ? lanedEngine(open) : open()
}

/** TensorFlow reads these when it is loaded, from the process, whose environment only the main thread can change. What is set stays. */
function tellTensorflow({ engineThreads, tensorflowFolder }: Settings): void {
  process.env['NOGRAD_TENSORFLOW'] ??= tensorflowFolder
  process.env['TF_NUM_INTRAOP_THREADS'] ??= String(engineThreads)
  process.env['TF_NUM_INTEROP_THREADS'] ??= '1'
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
  // With oneDNN, TensorFlow 2.21 gives wrong numbers for transposed convolutions of one channel, and ends the process at some others.
  process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '0'
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true'
}
