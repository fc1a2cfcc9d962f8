import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Parameter } from '../../src/architecture/index.ts'
import { applyKeyMapping, bindStateDict, type StateDictEntry } from '../../src/evaluation/index.ts'
import type { DType } from '../../src/tensor/index.ts'

const part = fc.constantFrom('a', 'b', 'module', 'model', '_orig_mod', '0', '1', 'weight', 'bias')
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))
/** Keys of which none is the module of another: `a` and `a.b` cannot both be parameters of a torch model. */
const keys = fc
  .uniqueArray(path, { minLength: 1, maxLength: 12 })
  .map((all) => all.filter((key) => !all.some((other) => other.startsWith(`${key}.`))))
const prefix = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join('.')}.`)
const shape = fc.array(fc.nat({ max: 3 }), { maxLength: 3 })
const dtype = fc.constantFrom<DType>('float32', 'bfloat16', 'int64', 'complex64')
const entry = fc.record({ dtype, shape })

const parameterOf = (name: string, shape: readonly number[] = [2]): Parameter => ({
  name,
  keys: [name],
  dtype: 'float32',
  shape,
  optional: false,
})
const bind = (parameters: readonly Parameter[], entries: ReadonlyMap<string, StateDictEntry>, strict = true) =>
  bindStateDict({ className: 'Model', parameters, entries, strict })

describe('binding', () => {
  test('of anything to anything accounts for every key exactly once', () => {
    fc.assert(
      fc.property(keys, fc.dictionary(path, entry), fc.boolean(), (names, dictionary, strict) => {
        const parameters = names.map((name) => parameterOf(name))
        const entries = new Map(Object.entries(dictionary))
        const report = bind(parameters, entries, strict)
        const found = names.filter((name) => entries.has(name))
        expect([...report.missing].sort()).toEqual(names.filter((name) => !entries.has(name)).sort())
        expect([...report.unexpected].sort()).toEqual([...entries.keys()].filter((key) => !names.includes(key)).sort())
        expect(report.bound.map(({ key }) => key).sort()).toEqual(found.sort())
        const fits = report.mismatched.length + report.refused.length + report.missing.length === 0
        expect(report.ok).toBe(fits && (!strict || report.unexpected.length === 0))
      }),
    )
  })

  test('of a wrapped state_dict has a proposal, and every proposal binds', () => {
    fc.assert(
      fc.property(keys, prefix, fc.boolean(), (names, wrapper, unwrap) => {
        const [inner, outer] = [names, names.map((name) => wrapper + name)]
        const parameters = (unwrap ? inner : outer).map((name) => parameterOf(name))
        const entries = new Map((unwrap ? outer : inner).map((key) => [key, { dtype: 'float32', shape: [2] } as const]))
        const report = bind(parameters, entries)
        expect(report.ok).toBe(false)
        expect(report.proposals.length).toBeGreaterThan(0)
        for (const { keyMapping, strict } of report.proposals) {
          const again = bindStateDict({ className: 'Model', parameters, entries, strict, keyMapping })
          expect(again.ok).toBe(true)
        }
      }),
    )
  })
})

test('a key mapping that adds what it strips changes nothing', () => {
  fc.assert(
    fc.property(keys, prefix, (names, wrapper) => {
      const wrapped = names.map((name) => wrapper + name)
      expect([...applyKeyMapping(wrapped, { stripPrefix: wrapper, addPrefix: wrapper }).keys()]).toEqual(wrapped)
      expect([...applyKeyMapping(names, {}).keys()]).toEqual(names)
    }),
  )
})
