import type * as Tensorflow from '@tensorflow/tfjs-node-gpu'
import { createRequire } from 'node:module'
import { AppError } from '../../error.ts'
import { loadBinding } from './native-binding.ts'

/** The functions of TensorFlow.js; what computes behind them is its backend. */
export type Tf = typeof Tensorflow
export type TfTensor = Tensorflow.Tensor

/** What executes operations: `tensorflow` is the native library; `cpu` is plain JavaScript, slow, and always there. */
export type Backend = 'tensorflow' | 'cpu'

/** TensorFlow.js with a backend that is ready. */
export interface Library {
  readonly tf: Tf
  readonly backend: Backend
  /** Of what computes: of TensorFlow, or of TensorFlow.js where there is no native library. */
  readonly version: string
  /** Whether the native library computes on a graphics card. */
  readonly usesGpu: boolean
}

/**
 * Loads TensorFlow.js and the backend.
 * @param folder that `npm run setup:tensorflow` made.
 * @throws AppError ENGINE_FAILED when the native library is not set up, with what to do.
 */
export async function loadLibrary(backend: Backend, folder: string): Promise<Library> {
  const own = createRequire(import.meta.url)
  const load = createRequire(own.resolve('@tensorflow/tfjs-node-gpu/package.json'))
  if (backend === 'cpu') {
    const tf = load('@tensorflow/tfjs') as Tf
    await use(tf, backend)
    return { tf, backend, version: tf.version_core, usesGpu: false }
  }
  const binding = loadBinding(folder, load)
  const tf = load('@tensorflow/tfjs') as Tf
  // What the package's own index does, except that it insists on the binding's place inside the package.
  load('./dist/register_all_kernels')
  const { NodeJSKernelBackend } = load('./dist/nodejs_kernel_backend') as {
    readonly NodeJSKernelBackend: new (binding: unknown, packageName: string) => Tensorflow.KernelBackend
  }
  // Null where there is none yet, whatever its type says.
  if (!(tf.findBackendFactory(backend) as unknown))
    tf.registerBackend(backend, () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu'), 3)
  await use(tf, backend)
  return { tf, backend, version: binding.TF_Version, usesGpu: binding.isUsingGpuDevice() }
}

async function use(tf: Tf, backend: Backend): Promise<void> {
  // Without its checks of every result for NaN, and without its advice on the console.
  tf.enableProdMode()
  if (!(await tf.setBackend(backend)))
    throw new AppError('ENGINE_FAILED', `TensorFlow.js could not start its backend ${backend}`)
  await tf.ready()
}
