import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeAnyId, decodeId, encodeId, ID_PREFIXES, type ObjectKind } from '../../src/api/object-id.ts'

const kind = fc.constantFrom(...(Object.keys(ID_PREFIXES) as ObjectKind[]))

describe('an id', () => {
  test('leads back to the kind and the row that it was made of', () => {
    fc.assert(
      fc.property(kind, fc.uuid(), (name, uuid) => {
        expect(decodeAnyId(encodeId(name, uuid))).toEqual({ kind: name, uuid })
        expect(decodeId(name, encodeId(name, uuid))).toBe(uuid)
      }),
    )
  })

  test('of another kind is not found, and the message says which kind is meant', () => {
    const id = encodeId('Checkpoint', '01890a5d-ac96-774b-bcce-b302099a8057')
    expect(() => decodeId('Run', id, ['input', 'runId'])).toThrow(
      expect.objectContaining({
        code: 'NOT_FOUND',
        message: `"${id}" is the id of a checkpoint; the id of a run begins with run_`,
        inputPath: ['input', 'runId'],
      }),
    )
  })

  test.each([
    '',
    'run_',
    'run_1',
    'xyz_01890a5d-ac96-774b-bcce-b302099a8057',
    '01890a5d-ac96-774b-bcce-b302099a8057',
    "run_' or 1=1",
    'r'.repeat(1e6),
  ])('that is none is not found, and the message stays short: %.40s', (id) => {
    const error = thrown(() => decodeId('Run', id))
    expect(error).toMatchObject({ code: 'NOT_FOUND' })
    expect(error.message.length).toBeLessThan(250)
  })
})

function thrown(act: () => unknown): Error {
  try {
    act()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}
