import type * as Tensorflow from '@tensorflow/tfjs-node-gpu'
import { createRequire } from 'node:module'
import { AppError } from '../../error.ts'
import type { Device } from '../engine.ts'
import { processor } from '../processor.ts'
import { nativeDevices } from './devices.ts'
import { loadBinding } from './native-binding.ts'
import { loadWebgpu } from './webgpu-library.ts'
import { NO_REPORTS, webgpuReports, type DeviceReports, type WebgpuBackend } from './webgpu-reports.ts'

/** The functions of TensorFlow.js; what computes behind them is its backend. */
export type Tf = typeof Tensorflow
export type TfTensor = Tensorflow.Tensor

/**
 * What executes operations: `tensorflow` is the native library; `webgpu` a graphics card through Dawn; `wasm` is WebAssembly, there without a set-up;
 * `cpu` is plain JavaScript, slow.
 */
export type Backend = 'tensorflow' | 'webgpu' | 'wasm' | 'cpu'

/** TensorFlow.js with a backend that is ready. */
export interface Library {
  readonly tf: Tf
  readonly backend: Backend
  /** Of what computes: of TensorFlow, or of TensorFlow.js where there is no native library. */
  readonly version: string
  readonly devices: readonly Device[]
  readonly reports: DeviceReports
}

/**
 * Loads TensorFlow.js and the backend.
 * @param folder that `npm run setup:tensorflow` made, or `npm run setup:webgpu` for the backend webgpu.
 * @throws AppError ENGINE_FAILED when what the backend needs is not set up, with what to do; DEVICE_UNAVAILABLE when there is no adapter.
 */
export async function loadLibrary(backend: Backend, folder: string): Promise<Library> {
  if (backend === 'webgpu') {
    const { tf, device } = await loadWebgpu(folder)
    await use(tf, backend)
    const reports = webgpuReports(tf.backend() as unknown as WebgpuBackend)
    return { tf, backend, version: tf.version_core, devices: [device], reports }
  }
  const own = createRequire(import.meta.url)
  const load = createRequire(own.resolve('@tensorflow/tfjs-node-gpu/package.json'))
  if (backend === 'cpu' || backend === 'wasm') {
    const tf = load('@tensorflow/tfjs') as Tf
    // Registers itself.
    if (backend === 'wasm') own('@tensorflow/tfjs-backend-wasm')
    await use(tf, backend)
    return { tf, backend, version: tf.version_core, devices: [processor()], reports: NO_REPORTS }
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
  const devices = await nativeDevices(binding.isUsingGpuDevice())
  return { tf, backend, version: binding.TF_Version, devices, reports: NO_REPORTS }
}

async function use(tf: Tf, backend: Backend): Promise<void> {
  // Without its checks of every result for NaN, and without its advice on the console.
  tf.enableProdMode()
  if (!(await tf.setBackend(backend)))
    throw new AppError('ENGINE_FAILED', `TensorFlow.js could not start its backend ${backend}`)
  await tf.ready()
}
