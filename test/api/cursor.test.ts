import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { CURSOR_LISTS, decodeCursor, encodeCursor } from '../../src/api/cursor.ts'

const list = fc.constantFrom(...CURSOR_LISTS)

describe('a cursor', () => {
  test('leads back to the row that it was made of', () => {
    fc.assert(
      fc.property(list, fc.uuid(), (name, uuid) => {
        expect(decodeCursor(name, encodeCursor(name, uuid))).toBe(uuid)
      }),
    )
  })

  test('of another list is refused', () => {
    fc.assert(
      fc.property(list, list, fc.uuid(), (from, to, uuid) => {
        fc.pre(from !== to)
        expect(() => decodeCursor(to, encodeCursor(from, uuid))).toThrow(
          expect.objectContaining({
            code: 'BAD_INPUT',
            message: `the cursor belongs to a list of ${from}s; this is a list of ${to}s`,
          }),
        )
      }),
    )
  })

  test('that was changed in one character is refused', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    fc.assert(
      fc.property(
        list,
        fc.uuid(),
        fc.nat(31),
        fc.nat(63).map((index) => alphabet[index]!),
        (name, uuid, at, character) => {
          const cursor = encodeCursor(name, uuid)
          fc.pre(cursor[at] !== character)
          expect(() => decodeCursor(name, cursor.slice(0, at) + character + cursor.slice(at + 1))).toThrow(
            expect.objectContaining({ code: 'BAD_INPUT' }),
          )
        },
      ),
      { numRuns: 500 },
    )
  })

  test('that is any other text is refused', () => {
    fc.assert(
      fc.property(list, fc.string({ unit: 'binary', maxLength: 80 }), (name, text) => {
        expect(() => decodeCursor(name, text)).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }))
      }),
    )
  })
})
