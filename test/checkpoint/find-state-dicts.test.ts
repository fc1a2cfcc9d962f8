import { describe, expect, test } from '@jest/globals'
import { findStateDicts } from '../../src/checkpoint/index.ts'
import { openValue } from './build-checkpoint.ts'
import {
  dict,
  EMPTY_DICT,
  get,
  int,
  list,
  ORDERED_DICT,
  put,
  setItems,
  str,
  tensor,
  type Part,
} from './build-pickle.ts'

const small = tensor({ size: [1], stride: [1] })
const weights = dict({ 'fc.weight': tensor(), 'fc.bias': small })

/** Paths of the state_dicts of a value, best first. */
async function paths(value: Part): Promise<string[]> {
  return findStateDicts(await openValue(value)).map(({ path }) => path.join('/'))
}

describe('the state_dicts of a checkpoint', () => {
  test('name tensors by their keys, in file order', async () => {
    const [best] = findStateDicts(await openValue(weights))
    expect(best!.path).toEqual([])
    expect([...best!.tensors]).toEqual([
      ['fc.weight', 0],
      ['fc.bias', 1],
    ])
  })

  test.each<[string, Part, readonly string[]]>([
    ['the root when it is flat', weights, ['']],
    ['a flat root with extra state', dict({ a: tensor(), 'bn._extra_state': int(1), _extra_state: dict({}) }), ['']],
    ['a tutorial checkpoint', dict({ epoch: int(9), model_state_dict: weights, loss: int(1) }), ['model_state_dict']],
    [
      'the conventional name before a larger mapping',
      dict({ buffers: dict({ a: tensor(), b: tensor() }), state_dict: dict({ a: small }) }),
      ['state_dict', 'buffers'],
    ],
    ['the better of two conventional names', dict({ model: weights, state_dict: weights }), ['state_dict', 'model']],
    ['a mapping inside of another', dict({ model: dict({ state_dict: weights }) }), ['model/state_dict']],
    ['the largest of several', dict({ head: dict({ a: small }), body: weights }), ['body', 'head']],
    ['mappings in lists', dict({ models: list(weights, dict({ a: small })) }), ['models/0', 'models/1']],
    ['a mapping under a number', setItems(EMPTY_DICT, int(3), weights), ['3']],
    ['a root that is mixed, last', dict({ epoch: int(1), mean: tensor(), net: dict({ a: small }) }), ['net', '']],
    ['a root that is mixed, alone', dict({ 'fc.weight': tensor(), epoch: int(1) }), ['']],
    ['an OrderedDict', setItems(ORDERED_DICT, str('w'), tensor()), ['']],
    ['none in a list of tensors', list(tensor(), tensor()), []],
    ['none in a mapping with other keys', setItems(EMPTY_DICT, int(0), tensor()), []],
    ['none in an empty mapping', EMPTY_DICT, []],
  ])('are %s', async (_name, value, expected) => {
    expect(await paths(value)).toEqual(expected)
  })

  test('are never what an optimizer keeps', async () => {
    const state = setItems(EMPTY_DICT, int(0), dict({ step: small, exp_avg: tensor(), exp_avg_sq: tensor() }))
    const optimizer = dict({ state, param_groups: list(dict({ lr: int(1) })) })
    expect(await paths(dict({ optimizer_state_dict: optimizer, model: dict({ a: small }) }))).toEqual(['model'])
    expect(await paths(dict({ any_name: optimizer, weights_of_mine: dict({ a: small }) }))).toEqual(['weights_of_mine'])
    expect(await paths(optimizer)).toEqual([])
    const named = dict({ optimizer: dict({ momentum: tensor(), more: tensor() }), mine: dict({ a: small }) })
    expect(await paths(named)).toEqual(['mine', 'optimizer'])
  })

  test('are named once when they are shared', async () => {
    const shared = Buffer.concat([weights, put(90)])
    expect(await paths(dict({ other: list(shared), state_dict: get(90) }))).toEqual(['state_dict'])
  })

  test('are found quickly where sharing makes 10^20 paths', async () => {
    const level = (i: number): Buffer => list(...Array.from({ length: 10 }, () => get(i)))
    const levels = Array.from({ length: 12 }, (_, i) => [level(i), put(i + 1), Buffer.from('0')]).flat()
    expect(await paths(Buffer.concat([weights, put(0), Buffer.from('0'), ...levels, get(12)]))).toEqual([
      '0/0/0/0/0/0/0/0/0/0/0/0',
    ])
  })
})
