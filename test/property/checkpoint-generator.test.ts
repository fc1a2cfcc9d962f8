import { beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { FAMILIES } from '../fuzz/cases.ts'
import { randomOf } from '../fuzz/random.ts'
import { readEverything } from '../fuzz/read-everything.ts'
import { loadSubjects, type Subjects } from '../fuzz/subjects.ts'

/** `npm run fuzz:checkpoint` reads very many more. */
const CASES = Number(process.env['NOGRAD_CASES'] ?? 60)

let subjects: Subjects
beforeAll(async () => {
  subjects = await loadSubjects()
})

describe('a mutated checkpoint is read or refused:', () => {
  test.each(Object.keys(FAMILIES))('%s', async (family) => {
    const outcomes = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const began = performance.now()
        outcomes.add(await readEverything(FAMILIES[family]!(subjects, randomOf(seed))))
        expect(performance.now() - began).toBeLessThan(10_000)
      }),
      { numRuns: CASES },
    )
    // Mutations of which none is refused would prove little.
    expect([...outcomes].some((outcome) => outcome !== 'read')).toBe(true)
  })

  test('the same seed makes the same case', () => {
    for (const make of Object.values(FAMILIES))
      expect(make(subjects, randomOf(42))).toEqual(make(subjects, randomOf(42)))
  })
})
