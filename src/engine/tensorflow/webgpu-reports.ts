import { AppError } from '../../error.ts'

/** As much of WebGPU as is needed to hear of errors. */
interface GpuDevice {
  pushErrorScope(filter: Filter): void
  /** The first error since the scope began; scopes end in the reverse order. */
  popErrorScope(): Promise<{ readonly message: string } | null>
  readonly lost: Promise<{ readonly message: string }>
}
type Filter = 'out-of-memory' | 'validation' | 'internal'

interface GpuBuffer {
  readonly size: number
  destroy(): void
}

/** As much of TensorFlow.js's backend for WebGPU as is needed to take its memory back. */
export interface WebgpuBackend {
  readonly device: GpuDevice
  readonly bufferManager: {
    /** Buffers that wait to be used again, by size and usage. */
    readonly freeBuffers: Map<string, GpuBuffer[]>
    numFreeBuffers: number
    numBytesAllocated: number
  }
  ensureCommandEncoderReady(): void
  endComputePassEncoder(): void
  submitQueue(): void
}

/** What a device reports besides exceptions. */
export interface DeviceReports {
  /** Does work on the device, and throws what it reports of it. `undo` gives up every tensor that the work may have made. */
  during<T>(work: () => Promise<T>, undo: () => void): Promise<T>
  /** @throws AppError ENGINE_FAILED when the device is lost: whatever runs there would fail until the process is started again. */
  checkPresent(): void
}

/** Where the device reports by exceptions, there is nothing besides. */
export const NO_REPORTS: DeviceReports = { during: (work) => work(), checkPresent: () => undefined }

const FILTERS: readonly Filter[] = ['out-of-memory', 'validation', 'internal']

/**
 * On WebGPU a buffer that could not be made is no exception, and what is computed with it is zeros; TensorFlow.js does not ask. So error
 * scopes are around all that it does. After an error nothing that was made meanwhile is used again, and the buffers that TensorFlow.js
 * keeps for later are destroyed: some are invalid, and the others hold memory in sizes that the next batch does not have.
 *
 * Source: https://www.w3.org/TR/webgpu/#error-scopes
 * @throws AppError DEVICE_OUT_OF_MEMORY; an Error of what else is reported, or what the work throws where nothing is.
 */
export function webgpuReports(backend: WebgpuBackend): DeviceReports {
  const { device } = backend
  let lost: string | undefined
  void device.lost.then(({ message }) => (lost = message))

  const checkPresent = (): void => {
    if (lost !== undefined)
      throw new AppError('ENGINE_FAILED', `tensorflow: the graphics device is lost: ${lost || 'it does not say why'}`)
  }
  return {
    checkPresent,
    async during(work, undo) {
      for (const filter of FILTERS) device.pushErrorScope(filter)
      const outcome = await settled(work)
      // What is recorded, but not submitted, belongs to this work, its errors too.
      flush(backend)
      const reports: (string | undefined)[] = []
      for (const _ of FILTERS) reports.unshift((await device.popErrorScope())?.message)
      checkPresent()
      const [memory, ...others] = reports
      const report = memory ?? others.find((message) => message !== undefined)
      if (report === undefined && 'value' in outcome) return outcome.value
      undo()
      flush(backend)
      destroyFree(backend)
      if (memory !== undefined)
        throw new AppError('DEVICE_OUT_OF_MEMORY', `tensorflow: the memory of the graphics device is full: ${memory}`)
      throw report === undefined && 'error' in outcome ? outcome.error : new Error(report)
    },
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

async function settled<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    return { error }
  }
}

/** Submits what is recorded, after which the tensors that it used are really given up. */
function flush(backend: WebgpuBackend): void {
  backend.ensureCommandEncoderReady()
  backend.endComputePassEncoder()
  backend.submitQueue()
}

function destroyFree({ bufferManager }: WebgpuBackend): void {
  for (const buffers of bufferManager.freeBuffers.values()) {
    for (const buffer of buffers.splice(0)) {
      buffer.destroy()
      bufferManager.numFreeBuffers--
      bufferManager.numBytesAllocated -= buffer.size
    }
  }
}
