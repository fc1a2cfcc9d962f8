import { Readable } from 'node:stream'

import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

import { chunks } from '../../src/store/bytes/chunks.ts'
import { CHUNK_BYTES, chunkPrefix, COPY_HEADER, COPY_TRAILER, copiedValues } from '../../src/store/bytes/copy-format.ts'

/** What COPY sends for rows of one bytea column. */
function copyOf(values: readonly Uint8Array[]): Buffer {
  const rows = values.flatMap((value) => {
    const prefix = Buffer.alloc(6)
    prefix.writeInt16BE(1)
    prefix.writeInt32BE(value.length, 2)
    return [prefix, value]
  })
  return Buffer.concat([COPY_HEADER, ...rows, COPY_TRAILER])
}

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge))
}

describe('the COPY format', () => {
  test('gives back the rows, however the stream is cut', async () => {
    const values = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(values, fc.array(fc.nat(1_000), { maxLength: 30 }), async (rows, places) => {
        const read: Uint8Array[] = []
        for await (const value of copiedValues(Readable.from(cut(copyOf(rows), places)))) read.push(value)
        expect(read.map((value) => [...value])).toEqual(rows.map((row) => [...row]))
      }),
    )
  })

  test('writes a row as PostgreSQL reads it', () => {
    const prefix = chunkPrefix('01234567-89ab-cdef-0123-456789abcdef', 258, 3)
    expect(prefix.toString('hex')).toBe(
      '0003' + '00000010' + '0123456789abcdef0123456789abcdef' + '00000004' + '00000102' + '00000003',
    )
  })

  test('cuts contents into full chunks and a rest, each good until the next', async () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 700_000 }), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(lengths, async (pieceLengths) => {
        const whole = Buffer.concat(pieceLengths.map((length, i) => Buffer.alloc(length, i + 1)))
        // One buffer for all pieces, overwritten each time.
        const reused = Buffer.alloc(700_000)
        async function* pieces() {
          for (const [i, length] of pieceLengths.entries()) {
            await Promise.resolve()
            yield reused.fill(i + 1).subarray(0, length)
          }
        }
        const parts: Buffer[] = []
        for await (const chunk of chunks(pieces())) parts.push(Buffer.from(chunk))
        expect(Buffer.concat(parts).equals(whole)).toBe(true)
        expect(parts.slice(0, -1).every((part) => part.length === CHUNK_BYTES)).toBe(true)
        expect(parts.every((part) => part.length > 0)).toBe(true)
      }),
      { numRuns: 20 },
    )
  })
})
