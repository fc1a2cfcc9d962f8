import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { computeInFloat16, graphToOnnx, type Graph } from '../../architecture/index.ts'
import type { ComputeDType, Device } from '../engine.ts'
import { graphicsCards } from '../graphics-cards.ts'
import { processor } from '../processor.ts'
import { webgpuDevice } from '../webgpu-device.ts'

/** What a session is created with to compute on a device. */
export type Provider = NonNullable<InferenceSession.SessionOptions['executionProviders']>[number]

/** A device of this library, and how a session gets onto it. */
export interface ProvidedDevice extends Device {
  readonly provider: Provider
}

/** The device that is always there. */
export const PROCESSOR: ProvidedDevice = { ...processor(), provider: 'cpu' }

/** y = x + x: the least that shows whether a device computes. */
const PROBE: Graph = {
  opset: 17,
  inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 4] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 4] }],
  nodes: [{ name: '', op: 'Add', domain: '', inputs: ['x', 'x'], outputs: ['y'], attributes: {} }],
  parameters: [],
  constants: [],
}

/**
 * The processor, and every other device that a small computation succeeds on. WebGPU (Vulkan, Metal or Direct3D) is inside the npm package;
 * CUDA needs its provider library beside the package's own. Where the operating system has no graphics device at all, nothing is tried.
 */
export async function findDevices(): Promise<readonly ProvidedDevice[]> {
  const found: ProvidedDevice[] = [PROCESSOR]
  if (!hasGraphics()) return found
  const cards = await graphicsCards()
  if (cards.length > 0 && hasCudaProvider())
    for (const [index, { name, memoryBytes }] of cards.entries()) {
      const provider = { name: 'cuda', deviceId: index } as const
      const computeDTypes = await computesIn(provider)
      if (computeDTypes.length > 0)
        found.push({ id: `cuda:${index}`, description: name, memoryBytes, computeDTypes, provider })
    }
  const computeDTypes = await computesIn('webgpu')
  if (computeDTypes.length > 0) found.push({ ...webgpuDevice(cards, '', computeDTypes), provider: 'webgpu' })
  return found
}

/** Whether the operating system shows a graphics device, or somebody named a Vulkan driver: loading a driver in vain takes its time. */
function hasGraphics(): boolean {
  if (process.platform !== 'linux') return true
  const named = process.env['VK_DRIVER_FILES'] ?? process.env['VK_ICD_FILENAMES'] ?? ''
  return named !== '' || hasEntry('/dev/dri', /^renderD/) || hasEntry('/dev', /^(nvidia\d+|dxg)$/)
}

function hasEntry(folder: string, pattern: RegExp): boolean {
  try {
    return readdirSync(folder).some((name) => pattern.test(name))
  } catch {
    return false
  }
}

/** Whether the provider library of CUDA lies beside the package's own library. */
function hasCudaProvider(): boolean {
  const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
  const name = process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so'
  return existsSync(join(root, 'bin', 'napi-v6', process.platform, process.arch, name))
}

/** What a provider computes in; none where it does not compute at all. */
async function computesIn(provider: Provider): Promise<readonly ComputeDType[]> {
  if (!(await computes(provider, PROBE))) return []
  return (await computes(provider, computeInFloat16(PROBE))) ? ['float32', 'float16'] : ['float32']
}

async function computes(provider: Provider, probe: Graph): Promise<boolean> {
  try {
    const session = await InferenceSession.create(graphToOnnx(probe, new Map()), {
      executionProviders: [provider],
      logSeverityLevel: 4,
    })
    try {
      const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3, 4), [1, 4]) })
      return String(y?.data) === '2,4,6,8'
    } finally {
      await session.release()
    }
  } catch {
    return false
  }
}
