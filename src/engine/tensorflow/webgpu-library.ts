import type * as Tensorflow from '@tensorflow/tfjs-node-gpu'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { AppError } from '../../error.ts'
import type { Device } from '../engine.ts'
import { graphicsCards } from '../graphics-cards.ts'
import { webgpuDevice } from '../webgpu-device.ts'

/** As much of WebGPU as is needed to name an adapter. */
interface Adapter {
  readonly info: { readonly vendor: string; readonly device: string; readonly description: string }
}
interface Dawn {
  create(options: readonly string[]): { requestAdapter(options: object): Promise<Adapter | null> }
  readonly globals: object
}

/**
 * TensorFlow.js from the folder that `npm run setup:webgpu` made, with Dawn (the WebGPU of Chromium) in place of a browser's.
 * @throws AppError ENGINE_FAILED when the folder is not there, DEVICE_UNAVAILABLE when there is no adapter.
 */
export async function loadWebgpu(folder: string): Promise<{ readonly tf: typeof Tensorflow; readonly device: Device }> {
  const load = createRequire(join(folder, 'package.json'))
  let dawn: Dawn
  try {
    dawn = load('webgpu') as Dawn
  } catch (error) {
    throw new AppError(
      'ENGINE_FAILED',
      `the engine tensorflow has no WebGPU in ${folder}: run \`npm run setup:webgpu\` (${(error as Error).message})`,
      { cause: error },
    )
  }
  const gpu = dawn.create([])
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null)
    throw new AppError(
      'DEVICE_UNAVAILABLE',
      'there is no WebGPU adapter: it needs a driver for Vulkan (on Linux also the package libvulkan1), Metal or Direct3D 12',
    )
  Object.assign(globalThis, dawn.globals)
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true, writable: true })
  const tf = load('@tensorflow/tfjs') as typeof Tensorflow
  load('@tensorflow/tfjs-backend-webgpu')
  // Else small operations run on the processor.
  tf.env().set('WEBGPU_CPU_FORWARD', false)
  const { vendor, device, description } = adapter.info
  const name = [vendor, device, description].filter((text) => text !== '').join(', ')
  return { tf, device: webgpuDevice(await graphicsCards(), name) }
}
