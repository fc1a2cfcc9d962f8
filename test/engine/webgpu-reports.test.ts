import { expect, test } from '@jest/globals'
import { webgpuReports, type WebgpuBackend } from '../../src/engine/tensorflow/webgpu-reports.ts'

/** A device that reports what a test says, and TensorFlow.js's backend around it. */
function fakeBackend() {
  const open: string[] = []
  const done: string[] = []
  const reported = new Map<string, string>()
  let lose!: (reason: { message: string }) => void
  const free = [4, 8].map((size) => ({ size, destroy: () => done.push(`destroyed ${size}`) }))
  const backend: WebgpuBackend = {
    device: {
      pushErrorScope: (filter) => void open.push(filter),
      popErrorScope: () => {
        const message = reported.get(open.pop()!)
        return Promise.resolve(message === undefined ? null : { message })
      },
      lost: new Promise((resolve) => (lose = resolve)),
    },
    bufferManager: { freeBuffers: new Map([['both', free]]), numFreeBuffers: 2, numBytesAllocated: 100 },
    ensureCommandEncoderReady: () => undefined,
    endComputePassEncoder: () => undefined,
    submitQueue: () => void done.push('submitted'),
  }
  return { backend, open, done, reported, lose }
}

test('work that nothing is reported of gives its result, and its scopes end', async () => {
  const { backend, open, done } = fakeBackend()
  const reports = webgpuReports(backend)
  const result = await reports.during(
    () => Promise.resolve(open.length),
    () => done.push('undone'),
  )
  expect(result).toBe(3)
  expect(open).toEqual([])
  expect(done).toEqual(['submitted'])
})

test.each([
  [{ 'out-of-memory': 'no room', validation: 'Invalid Buffer' }, { code: 'DEVICE_OUT_OF_MEMORY' }],
  [{ validation: 'larger than the max buffer size' }, { message: 'larger than the max buffer size' }],
  [{ internal: 'the compiler failed' }, { message: 'the compiler failed' }],
])('what is reported is thrown, and nothing is used again: %j', async (said, thrown) => {
  const { backend, open, done, reported } = fakeBackend()
  for (const [filter, message] of Object.entries(said)) reported.set(filter, message)
  const reports = webgpuReports(backend)
  const failing = reports.during(
    () => Promise.resolve('zeros'),
    () => done.push('undone'),
  )
  await expect(failing).rejects.toMatchObject(thrown)
  expect(open).toEqual([])
  expect(done).toEqual(['submitted', 'undone', 'submitted', 'destroyed 4', 'destroyed 8'])
  expect(backend.bufferManager).toMatchObject({ numFreeBuffers: 0, numBytesAllocated: 88 })
  // What comes after is asked anew.
  reported.clear()
  expect(
    await reports.during(
      () => Promise.resolve('right'),
      () => undefined,
    ),
  ).toBe('right')
})

test('what the work throws is thrown where nothing is reported, and what is reported where something is', async () => {
  const { backend, reported } = fakeBackend()
  const reports = webgpuReports(backend)
  const fail = () =>
    reports.during(
      () => Promise.reject(new Error('no such operator')),
      () => undefined,
    )
  await expect(fail()).rejects.toThrow('no such operator')
  reported.set('out-of-memory', 'no room')
  await expect(fail()).rejects.toMatchObject({ code: 'DEVICE_OUT_OF_MEMORY' })
})

test('a device that is lost fails everything, and says so to whoever asks for it', async () => {
  const { backend, lose } = fakeBackend()
  const reports = webgpuReports(backend)
  reports.checkPresent()
  lose({ message: 'the driver was reset' })
  await backend.device.lost
  expect(() => reports.checkPresent()).toThrow('the driver was reset')
  const failing = reports.during(
    () => Promise.resolve(1),
    () => undefined,
  )
  await expect(failing).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
})
