import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupError, runCommand } from '../run-command.mjs'
import { BINDING } from './target-folder.mjs'

/**
 * Multiplies two matrices with the binding of a folder, in a process of its own: a library that does not fit the machine may
 * end the process that loads it.
 * @param {string | { path: string }} folder
 * @returns {Promise<string>} what was found, for people
 */
export async function verifyBinding(folder) {
  const path = join(typeof folder === 'string' ? folder : folder.path, BINDING)
  const { code, output } = await runCommand(process.execPath, [fileURLToPath(import.meta.url), path], {
    cwd: process.cwd(),
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: process.env.TF_CPP_MIN_LOG_LEVEL ?? '1' },
  })
  const found = output.split('\n').find((line) => line.startsWith('TensorFlow '))
  if (code !== 0 || found === undefined) throw new SetupError(`the binding does not compute:\n\n${output.trim()}`)
  return found
}

/** [[1, 2], [3, 4]] · [[5, 6], [7, 8]] is [[19, 22], [43, 50]]. */
function compute(path) {
  const binding = createRequire(import.meta.url)(path)
  const matrix = (...numbers) => binding.createTensor([2, 2], binding.TF_FLOAT, Float32Array.from(numbers))
  const attributes = [
    { name: 'transpose_a', type: binding.TF_ATTR_BOOL, value: false },
    { name: 'transpose_b', type: binding.TF_ATTR_BOOL, value: false },
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
  ]
  const [product] = binding.executeOp('MatMul', attributes, [matrix(1, 2, 3, 4), matrix(5, 6, 7, 8)], 1)
  const numbers = Array.from(binding.tensorDataSync(product.id))
  if (numbers.join() !== '19,22,43,50') throw new Error(`2x2 product is ${numbers.join(', ')}, expected 19, 22, 43, 50`)
  const device = binding.isUsingGpuDevice() ? 'on the graphics card' : `on the processor (${cpus().length} cores)`
  console.log(`TensorFlow ${binding.TF_Version} computes ${device}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) compute(process.argv[2])
