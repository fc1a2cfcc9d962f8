import type * as Engine from '../src/engine/index.ts'
import type { ThreadedEngine } from '../src/engine/index.ts'

const ROOT = new URL('..', import.meta.url)
/** Modules of engines that may be there. */
export const ENGINE_MODULES = ['onnxruntime/index.js', 'tensorflow/index.js', 'tensorflow/webgpu.js']

// As a worker has it: src/main/open-engines.ts.
process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '0'

/** A compiled module: benchmarks of engines run where only those are. */
export const loadCompiled = async (path: string): Promise<unknown> => import(new URL(`dist/${path}`, ROOT).href)

/** An engine in threads, as a worker has it; null, and the reason on stderr, where it is not there. */
export async function openEngine(module: string): Promise<ThreadedEngine | null> {
  const { lanedEngine, threadedEngine } = (await loadCompiled('engine/index.js')) as typeof Engine
  const open = () =>
    threadedEngine(new URL(`dist/engine/${module}`, ROOT), { program: new URL('dist/engine/engine-thread.js', ROOT) })
  try {
    return module.startsWith('onnxruntime') ? await lanedEngine(open) : await open()
  } catch (error) {
    process.stderr.write(`${module}: ${(error as Error).message}\n`)
    return null
  }
}
