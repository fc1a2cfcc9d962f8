import { describe, expect, test } from '@jest/globals'
import type { Parameter } from '../../src/architecture/index.ts'
import {
  bindStateDict,
  mapKey,
  requireBound,
  type Binding,
  type StateDictEntry,
} from '../../src/evaluation/bind/index.ts'
import type { DType, Shape } from '../../src/tensor/index.ts'

const parameter = (name: string, shape: Shape, optional = false, dtype: DType = 'float32'): Parameter => ({
  name,
  keys: [name],
  dtype,
  shape,
  optional,
})
const entry = (shape: Shape, dtype: DType = 'float32'): StateDictEntry => ({ dtype, shape })

/** nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)) */
const MODEL = [
  parameter('0.weight', [4, 3]),
  parameter('0.bias', [4]),
  parameter('1.weight', [4]),
  parameter('1.bias', [4]),
  parameter('1.running_mean', [4]),
  parameter('1.running_var', [4]),
  parameter('1.num_batches_tracked', [], true, 'int64'),
  parameter('2.weight', [2, 4]),
  parameter('2.bias', [2]),
]
const GOOD: [string, StateDictEntry][] = MODEL.map(({ name, shape, dtype }) => [name, entry(shape, dtype)])

const bind = (entries: readonly [string, StateDictEntry][], settings: Partial<Binding> = {}) =>
  bindStateDict({ className: 'Sequential', parameters: MODEL, entries: new Map(entries), strict: true, ...settings })
const without = (...keys: string[]) => GOOD.filter(([key]) => !keys.includes(key))
const withPrefix = (prefix: string, entries = GOOD) =>
  entries.map(([key, value]): [string, StateDictEntry] => [prefix + key, value])

describe('binding a state_dict', () => {
  test('that fits binds every key to its parameter', () => {
    const report = bind(GOOD)
    expect(report).toMatchObject({ ok: true, message: '<All keys matched successfully>', missing: [], unexpected: [] })
    expect(report.bound.map(({ parameter, key }) => [parameter, key])).toEqual(MODEL.map(({ name }) => [name, name]))
    expect(requireBound(report)).toBe(report)
  })

  test('names tensors that are kept as data only, and does not call them missing', () => {
    const opaque = new Map([
      ['module.0.weight', 'a quantized tensor (torch.per_tensor_affine)'],
      ['module.extra', 'a nested tensor'],
    ])
    const entries = withPrefix('module.', without('0.weight'))
    const report = bind(entries, { opaque, keyMapping: { stripPrefix: 'module.' } })
    expect(report).toMatchObject({ ok: false, missing: [], unexpected: ['extra'], mismatched: [] })
    expect(report.refused).toEqual([{ key: '0.weight', dtype: 'a quantized tensor (torch.per_tensor_affine)' }])
    expect(report.bound.map(({ parameter }) => parameter)).not.toContain('0.weight')
    const lax = bind(entries, { opaque, keyMapping: { stripPrefix: 'module.' }, strict: false })
    expect(lax.message).toBe(
      'Error(s) in loading state_dict for Sequential:\n' +
        '\t"0.weight" is a quantized tensor (torch.per_tensor_affine) and cannot be evaluated; ' +
        'dequantize it before torch.save: tensor.dequantize().',
    )
  })

  test('reports missing keys, unexpected keys and size mismatches in PyTorch’s words', () => {
    const entries: [string, StateDictEntry][] = [
      ['2.extra', entry([1])],
      ...without('0.weight', '1.running_var', '2.bias'),
      ['other', entry([1])],
      ['2.bias', entry([3])],
    ]
    const report = bind(entries)
    expect(report.ok).toBe(false)
    expect(report.message).toBe(
      'Error(s) in loading state_dict for Sequential:\n' +
        '\tMissing key(s) in state_dict: "0.weight", "1.running_var". \n' +
        '\tUnexpected key(s) in state_dict: "other", "2.extra". \n' +
        '\tsize mismatch for 2.bias: copying a param with shape torch.Size([3]) from checkpoint, the shape in current model is torch.Size([2]).',
    )
    expect(() => requireBound(report)).toThrow(expect.objectContaining({ code: 'BINDING_FAILED' }))
  })

  test('without strict ignores unexpected keys, but neither a size mismatch nor a missing weight', () => {
    const extra: [string, StateDictEntry] = ['n_averaged', entry([], 'int64')]
    expect(bind([...GOOD, extra], { strict: false })).toMatchObject({
      ok: true,
      message: "_IncompatibleKeys(missing_keys=[], unexpected_keys=['n_averaged'])",
    })
    expect(bind([...without('2.bias'), ['2.bias', entry([3])]], { strict: false }).message).toBe(
      'Error(s) in loading state_dict for Sequential:\n' +
        '\tsize mismatch for 2.bias: copying a param with shape torch.Size([3]) from checkpoint, the shape in current model is torch.Size([2]).',
    )
    const missing = bind(without('2.bias'), { strict: false })
    expect(missing.ok).toBe(false)
    expect(missing.message).toContain('Missing key(s) in state_dict: "2.bias". strict=False would leave them at random')
  })

  test('forgives num_batches_tracked before version 2 of batch normalisation, and reports it from then on', () => {
    const entries = without('1.num_batches_tracked')
    expect(bind(entries)).toMatchObject({ ok: true, missing: [] })
    expect(bind(entries, { versions: new Map([['1', 1]]) })).toMatchObject({ ok: true })
    expect(
      bind(entries, {
        versions: new Map([
          ['', 1],
          ['1', 2],
        ]),
      }),
    ).toMatchObject({
      ok: false,
      missing: ['1.num_batches_tracked'],
      message: expect.stringContaining('\tMissing key(s) in state_dict: "1.num_batches_tracked". ') as unknown,
    })
    expect(bind(entries, { versions: new Map([['1', 2]]), strict: false })).toMatchObject({
      ok: true,
      message: "_IncompatibleKeys(missing_keys=['1.num_batches_tracked'], unexpected_keys=[])",
    })
  })

  test('takes module versions under the key mapping too', () => {
    const entries = withPrefix('module.', without('1.num_batches_tracked'))
    const versions = new Map([['module.1', 2]])
    expect(bind(entries, { versions, keyMapping: { stripPrefix: 'module.' } }).missing).toEqual([
      '1.num_batches_tracked',
    ])
  })

  test('loads [1] into [] and nothing longer', () => {
    const parameters = [parameter('scale', [])]
    const scale = (shape: Shape) => bind([['scale', entry(shape)]], { parameters })
    expect(scale([1])).toMatchObject({ ok: true })
    expect(scale([2]).mismatched).toEqual([{ key: 'scale', found: [2], expected: [] }])
    expect(scale([1, 1]).ok).toBe(false)
  })

  test('lists conversions, and refuses dtypes that have no real numbers by name', () => {
    const entries: [string, StateDictEntry][] = [
      ...without('0.weight', '0.bias', '2.bias'),
      ['0.weight', entry([4, 3], 'bfloat16')],
      ['0.bias', entry([4], 'complex64')],
      ['2.bias', entry([2], 'qint8')],
    ]
    const report = bind(entries)
    expect(report.casts).toEqual([{ key: '0.weight', from: 'bfloat16', to: 'float32' }])
    expect(report.refused).toEqual([
      { key: '0.bias', dtype: 'complex64' },
      { key: '2.bias', dtype: 'qint8' },
    ])
    expect(report.ok).toBe(false)
    expect(report.message).toContain('\tdtype torch.complex64 of "0.bias" cannot be evaluated')
  })

  test('takes tied weights from any of their keys, and says which have to be equal', () => {
    const parameters: Parameter[] = [
      { name: 'embed.weight', keys: ['embed.weight', 'head.weight'], dtype: 'float32', shape: [5, 2], optional: false },
    ]
    const [embed, head]: [string, StateDictEntry][] = [
      ['embed.weight', entry([5, 2])],
      ['head.weight', entry([5, 2])],
    ]
    expect(bind([embed!, head!], { parameters })).toMatchObject({
      ok: true,
      tied: [{ parameter: 'embed.weight', keys: ['embed.weight', 'head.weight'] }],
    })
    expect(bind([head!], { parameters })).toMatchObject({ ok: false, missing: ['embed.weight'], tied: [] })
    expect(bind([head!], { parameters, strict: false })).toMatchObject({
      ok: true,
      bound: [{ parameter: 'embed.weight', key: 'head.weight' }],
    })
    expect(bind([embed!, ['head.weight', entry([5, 3])]], { parameters }).mismatched).toHaveLength(1)
  })
})

describe('a key mapping', () => {
  test('strips and adds prefixes, and names keys as the file has them', () => {
    const report = bind(withPrefix('module.'), { keyMapping: { stripPrefix: 'module.' } })
    expect(report.ok).toBe(true)
    expect(report.bound[0]).toMatchObject({ parameter: '0.weight', key: 'module.0.weight' })
    const shortened = GOOD.map(([key, value]): [string, StateDictEntry] => [key.replace(/^./, 'net.$&'), value])
    const parameters = MODEL.map((p) => ({ ...p, name: `body.${p.name}`, keys: [`body.${p.name}`] }))
    expect(bind(shortened, { parameters, keyMapping: { stripPrefix: 'net.', addPrefix: 'body.' } }).ok).toBe(true)
  })

  test('renames the first prefix that fits, after stripping and before adding', () => {
    const mapping = {
      stripPrefix: 'm.',
      renamePrefixes: [
        { from: 'a.', to: 'x.' },
        { from: 'a.b.', to: 'never.' },
        { from: 'x.', to: 'not again.' },
      ],
      addPrefix: 'n.',
    }
    expect(['m.a.b.w', 'a.w', 'x.w', 'm.other'].map((key) => mapKey(key, mapping))).toEqual([
      'n.x.b.w',
      'n.x.w',
      'n.not again.w',
      'n.other',
    ])
  })

  test('that makes two keys one is an error that names them', () => {
    const entries: [string, StateDictEntry][] = [...GOOD, ['module.0.bias', entry([4])]]
    expect(() => bind(entries, { keyMapping: { stripPrefix: 'module.' } })).toThrow(
      expect.objectContaining({
        code: 'BINDING_FAILED',
        message: expect.stringMatching(/"0\.bias" and "module\.0\.bias" both "0\.bias"/) as unknown,
      }),
    )
  })
})

describe('proposals', () => {
  test.each(['module.', '_orig_mod.', 'model.', 'module._orig_mod.', '_orig_mod.module.', 'a.b.c.'])(
    'to strip %s bind when they are followed',
    (prefix) => {
      const [best] = bind(withPrefix(prefix)).proposals
      expect(best).toMatchObject({ stateDictPath: null, keyMapping: { stripPrefix: prefix }, strict: true })
      expect(best!.text).toBe(`To make it fit: strip the prefix "${prefix}" from the keys.`)
      expect(bind(withPrefix(prefix), { keyMapping: best!.keyMapping }).ok).toBe(true)
    },
  )

  test('add the prefix that a wrapped model has', () => {
    const parameters = MODEL.map((p) => ({ ...p, name: `module.${p.name}`, keys: [`module.${p.name}`] }))
    expect(bind(GOOD, { parameters }).proposals[0]).toMatchObject({
      keyMapping: { addPrefix: 'module.' },
      strict: true,
    })
  })

  test('replace one prefix by another', () => {
    const parameters = MODEL.map((p) => ({ ...p, name: `net.${p.name}`, keys: [`net.${p.name}`] }))
    expect(bind(withPrefix('model.'), { parameters }).proposals[0]).toMatchObject({
      keyMapping: { stripPrefix: 'model.', addPrefix: 'net.' },
    })
  })

  test('rename what is called something else here, where nothing simpler helps', () => {
    const named = GOOD.map(([key, value]): [string, StateDictEntry] => [key.replace(/^0\./, 'stem.'), value])
    const [best] = bind(named).proposals
    expect(best).toMatchObject({
      keyMapping: { renamePrefixes: [{ from: 'stem.', to: '0.' }] },
      strict: true,
      text: 'To make it fit: rename the prefix "stem." of the keys to "0.".',
    })
    expect(bind(named, { keyMapping: best!.keyMapping }).ok).toBe(true)
  })

  test('rename several prefixes at once', () => {
    const names: Record<string, string> = { 0: 'stem', 1: 'norm', 2: 'head', 3: 'tail', 4: 'end' }
    const named = GOOD.map(([key, value]): [string, StateDictEntry] => [
      key.replace(/^(\d)\./, (_, digit: string) => `${names[digit] ?? digit}.`),
      value,
    ])
    const [best] = bind(named).proposals
    expect(best!.keyMapping!.renamePrefixes!.length).toBeGreaterThan(1)
    expect(bind(named, { keyMapping: best!.keyMapping }).ok).toBe(true)
  })

  test('ignore what an averaged model adds, after stripping', () => {
    const averaged: [string, StateDictEntry][] = [['n_averaged', entry([], 'int64')], ...withPrefix('module.')]
    expect(bind(averaged).proposals[0]).toEqual({
      stateDictPath: null,
      keyMapping: { stripPrefix: 'module.' },
      strict: false,
      text: 'To make it fit: strip the prefix "module." from the keys, and set strict to false to ignore 1 unexpected key.',
    })
  })

  test('name a nested state_dict, with the prefix that Lightning gives it', () => {
    const nested = [
      { path: ['optimizer', 'state'], entries: new Map([['exp_avg', entry([4])]]) },
      { path: ['state_dict'], entries: new Map(withPrefix('model.')) },
    ]
    const [best, ...others] = bind([['loss', entry([])]], { nested }).proposals
    expect(best).toMatchObject({ stateDictPath: ['state_dict'], keyMapping: { stripPrefix: 'model.' }, strict: true })
    expect(best!.text).toContain('use the nested state_dict at "state_dict"')
    expect(others).toEqual([])
  })

  test('are not made when nothing helps', () => {
    expect(bind(withPrefix('module.', without('0.bias'))).proposals).toEqual([])
    expect(bind([]).proposals).toEqual([])
  })

  test('are found for thousands of keys in little time', () => {
    const parameters = Array.from({ length: 5000 }, (_, i) => parameter(`layer.${i}.weight`, [2]))
    const entries = parameters.map((p): [string, StateDictEntry] => [`module.${p.name}`, entry([2])])
    const begin = performance.now()
    expect(bind(entries, { parameters }).proposals).toHaveLength(1)
    expect(performance.now() - begin).toBeLessThan(3000)
  })
})
