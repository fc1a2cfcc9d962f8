import { expect, test } from '@jest/globals'
import { deviceChoices, engineChoices } from '../../admin/src/page/start/able-devices.ts'

const offers = [
  { id: 'cpu', engine: 'onnxruntime', description: 'a processor', lackingOperators: [] },
  { id: 'cpu', engine: 'tensorflow', description: 'a processor', lackingOperators: ['Einsum', 'NonZero'] },
  { id: 'webgpu', engine: 'tensorflow', description: 'a card', lackingOperators: ['Einsum'] },
]

test('devices and engines that have all operators can be chosen', () => {
  expect(deviceChoices(offers, ['Conv', 'Relu'])).toEqual([
    { value: 'cpu', label: 'cpu (a processor)', disabled: false },
    { value: 'webgpu', label: 'webgpu (a card)', disabled: false },
  ])
  expect(engineChoices(offers, 'webgpu', ['Conv'])).toEqual([
    { value: 'TENSORFLOW', label: 'tensorflow', disabled: false },
  ])
})

test('those that lack some say which', () => {
  expect(deviceChoices(offers, ['Einsum', 'Relu'])).toEqual([
    { value: 'cpu', label: 'cpu (a processor)', disabled: false },
    { value: 'webgpu', label: 'webgpu (a card): has no Einsum', disabled: true },
  ])
  expect(engineChoices(offers, 'auto', ['Einsum', 'Relu'])).toEqual([
    { value: 'ONNXRUNTIME', label: 'onnxruntime', disabled: false },
    { value: 'TENSORFLOW', label: 'tensorflow: has no Einsum', disabled: true },
  ])
  // On some device it can.
  expect(engineChoices(offers, 'auto', ['NonZero'])[1]).toMatchObject({ disabled: false })
  expect(engineChoices(offers, 'cpu', ['NonZero'])[1]).toMatchObject({ disabled: true })
})
