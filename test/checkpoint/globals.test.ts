import { expect, test } from '@jest/globals'
import { DATA_GLOBALS, isAllowedGlobal, TORCH_GLOBALS } from '../../src/checkpoint/pickle/globals.ts'
import { dangerOf } from '../../src/checkpoint/pickle/danger.ts'

test('the closed list has the 144 names of PyTorch and 45 more of data', () => {
  expect(TORCH_GLOBALS.size).toBe(144)
  expect(DATA_GLOBALS.size).toBe(45)
})

test('nothing on the closed list is dangerous', () => {
  for (const path of [...TORCH_GLOBALS, ...DATA_GLOBALS]) {
    const dot = path.lastIndexOf('.')
    const reference = { module: path.slice(0, dot), name: path.slice(dot + 1), offset: 0 }
    expect([path, dangerOf(reference)]).toEqual([path, undefined])
  }
})

test('names that look like those on the list are not on it', () => {
  for (const path of [
    'torch.float32.__class__',
    'torch.load',
    'torch',
    '',
    'Torch.Size',
    'torch.FloatStorage ',
    'torch.cuda.float32',
  ])
    expect([path, isAllowedGlobal(path)]).toEqual([path, false])
})
