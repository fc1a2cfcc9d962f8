import { describe, expect, test } from '@jest/globals'
import { cardsOf, visibleCards } from '../../src/engine/graphics-cards.ts'
import { nativeDevices } from '../../src/engine/tensorflow/devices.ts'

// What nvidia-smi prints on a machine with two cards.
const PRINTED = '0, GPU-5d0e9a61-1, NVIDIA H100 80GB HBM3, 81559\n1, GPU-77aa0c02-2, NVIDIA L4, 23034\n'

describe('graphics cards', () => {
  test('are read from what nvidia-smi prints', () => {
    expect(cardsOf(PRINTED)).toEqual([
      { index: '0', uuid: 'GPU-5d0e9a61-1', name: 'NVIDIA H100 80GB HBM3', memoryBytes: 81559 * 2 ** 20 },
      { index: '1', uuid: 'GPU-77aa0c02-2', name: 'NVIDIA L4', memoryBytes: 23034 * 2 ** 20 },
    ])
    expect(cardsOf('')).toEqual([])
    expect(cardsOf('No devices were found\n')).toEqual([])
  })

  test.each([
    [undefined, ['0', '1']],
    ['1', ['1']],
    ['1,0', ['1', '0']],
    ['GPU-77', ['1']],
    ['1,7,0', ['1']],
    ['', []],
    ['-1', []],
  ])('that CUDA_VISIBLE_DEVICES=%p shows are %p', (visible, expected) => {
    expect(visibleCards(cardsOf(PRINTED), visible).map(({ index }) => index)).toEqual(expected)
  })
})

test('without a graphics card the device is the processor', async () => {
  const [device, ...others] = await nativeDevices(false)
  expect(others).toEqual([])
  expect(device).toMatchObject({ id: 'cpu' })
  expect(device!.memoryBytes).toBeGreaterThan(2 ** 20)
})
