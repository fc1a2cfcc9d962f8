import { describe, expect, test } from '@jest/globals'
import type { Engine } from '../../src/engine/index.ts'
import { candidates, engineDevices, type EngineDevice } from '../../src/worker/engine-devices.ts'

const engine = (name: Engine['name'], ...ids: string[]): Engine => ({
  name,
  version: '1',
  devices: () => Promise.resolve(ids.map((id) => ({ id, description: id, memoryBytes: null }))),
  load: () => Promise.reject(new Error('not here')),
})

const show = (devices: readonly EngineDevice[]) => devices.map((on) => `${on.engine.name} ${on.device.id}`)

describe('candidates', () => {
  test('are the device that was asked for; for auto the fastest, then the processor', async () => {
    const there = await engineDevices([engine('onnxruntime', 'cpu'), engine('tensorflow', 'cpu', 'cuda:0', 'cuda:1')])
    expect(show(candidates('cpu', there))).toEqual(['onnxruntime cpu'])
    expect(show(candidates('cuda', there))).toEqual(['tensorflow cuda:0'])
    expect(show(candidates('cuda:1', there))).toEqual(['tensorflow cuda:1'])
    expect(show(candidates('auto', there))).toEqual(['tensorflow cuda:0', 'onnxruntime cpu'])
    expect(show(candidates('auto', there.slice(0, 1)))).toEqual(['onnxruntime cpu'])
    expect(() => candidates('webgpu', there)).toThrow(expect.objectContaining({ code: 'DEVICE_UNAVAILABLE' }))
  })
})
