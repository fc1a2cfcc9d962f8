import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { threadedEngine, type ThreadedEngine } from '../../src/engine/index.ts'
import type { Backend } from '../../src/engine/tensorflow/library.ts'
import { compiled } from '../compiled.ts'

/** The backends that TensorFlow.js is tried on. The plain one is there everywhere, so that every operator is tried everywhere. */
export const BACKENDS: readonly Backend[] = ['cpu', 'wasm', 'tensorflow']

/** The engine `tensorflow` on a backend, in its thread; `folder` is a temporary one. */
export async function tensorflowOn(backend: Backend, folder: string): Promise<ThreadedEngine> {
  const file = join(folder, `${backend}.mjs`)
  const module = JSON.stringify(compiled('engine/tensorflow/tensorflow-engine.js').href)
  await writeFile(
    file,
    `import { createEngine as create } from ${module}\n` +
      `export const createEngine = () => create({ backend: ${JSON.stringify(backend)} })\n`,
  )
  return threadedEngine(pathToFileURL(file), { program: compiled('engine/engine-thread.js') })
}
