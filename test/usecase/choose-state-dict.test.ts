import { describe, expect, test } from '@jest/globals'
import { chooseStateDict } from '../../src/usecase/choose-state-dict.ts'

const dict = (path: string[], ...keys: string[]) => ({ path, tensors: new Map(keys.map((key, i) => [key, i])) })
const expected = ['fc.weight', 'fc.bias']
const choose = (found: ReturnType<typeof dict>[], path: string[] | null = null) =>
  chooseStateDict(found, expected, path, 'm.pth').path

describe('chooseStateDict', () => {
  test('takes the one that explains most keys, whatever their prefix', () => {
    const backbone = dict(['backbone'], 'conv.weight')
    expect(choose([backbone, dict(['model'], 'module.fc.weight', 'module.fc.bias')])).toEqual(['model'])
    expect(choose([backbone, dict(['a'], 'fc.weight'), dict(['b'], 'fc.weight', 'fc.bias')])).toEqual(['b'])
  })

  test('takes the first among equals', () => {
    expect(choose([dict(['model'], ...expected), dict(['ema'], ...expected)])).toEqual(['model'])
    expect(choose([dict([], 'x'), dict(['y'], 'z')])).toEqual([])
  })

  test('takes the one that was asked for', () => {
    expect(choose([dict(['model'], ...expected), dict(['ema'], ...expected)], ['ema'])).toEqual(['ema'])
    expect(() => choose([dict([], 'x'), dict(['a', 'b'], 'x')], ['c'])).toThrow(
      'm.pth: there is no state_dict at ["c"]; there are the root, ["a","b"]',
    )
  })

  test('refuses a file without any', () => {
    expect(() => choose([])).toThrow(expect.objectContaining({ code: 'CHECKPOINT_UNSUPPORTED' }))
  })
})
