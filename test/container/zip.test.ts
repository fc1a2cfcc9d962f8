import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import {
  bytesSource,
  DEFAULT_ZIP_LIMITS,
  entryBytes,
  entryPieces,
  fileSource,
  readZipDirectory,
  type ByteSource,
  type EntryPiecesOptions,
} from '../../src/container/index.ts'
import { buildZip, type EntrySpec, type ZipSpec } from './build-zip.ts'

const OPTIONS: EntryPiecesOptions = { corrupt: 'DATASET_CORRUPT', unsupported: 'DATASET_UNKNOWN_FORMAT' }
const text = (value: string): Buffer => Buffer.from(value)
const ENTRIES: readonly EntrySpec[] = [
  { name: 'a/one', data: text('first') },
  { name: 'a/two', data: text('second '.repeat(1000)), deflate: true },
  { name: 'a/größe', data: Buffer.alloc(0) },
]

async function readAll(source: ByteSource): Promise<Record<string, string>> {
  const entries = await readZipDirectory(source, OPTIONS)
  const all: Record<string, string> = {}
  for (const entry of entries) all[entry.name] = Buffer.from(await entryBytes(source, entry, OPTIONS)).toString()
  return all
}

const zipSource = (entries: readonly EntrySpec[], spec?: ZipSpec): ByteSource =>
  bytesSource('x.zip', buildZip(entries, spec))
const refusal = (entries: readonly EntrySpec[], spec?: ZipSpec) => expect(readAll(zipSource(entries, spec))).rejects

describe('a zip file', () => {
  const expected = { 'a/one': 'first', 'a/two': 'second '.repeat(1000), 'a/größe': '' }

  test.each<[string, readonly EntrySpec[], ZipSpec]>([
    ['stored and deflated', ENTRIES, {}],
    ['with data descriptors', ENTRIES.map((entry) => ({ ...entry, descriptor: entry.data.length > 0 })), {}],
    ['with zip64 fields', ENTRIES.map((entry) => ({ ...entry, zip64: true })), { zip64End: true }],
    ['with zip64 fields and descriptors', ENTRIES.map((entry) => ({ ...entry, zip64: true, descriptor: true })), {}],
    ['with a padded local header', ENTRIES.map((entry) => ({ ...entry, padding: 4096 })), {}],
    ['with a comment', ENTRIES, { comment: 'made by hand' }],
    ['with trailing bytes', ENTRIES, { trailing: Buffer.alloc(60_000, 7) }],
    ['whose comment holds the signature of an end record', ENTRIES, { comment: `PK\x05\x06${'x'.repeat(40)}` }],
  ])('%s is read', async (_name, entries, spec) => {
    expect(await readAll(zipSource(entries, spec))).toEqual(expected)
  })

  test('names payloads by absolute bytes', async () => {
    const bytes = buildZip(ENTRIES)
    const [one] = await readZipDirectory(bytesSource('x.zip', bytes), OPTIONS)
    expect(one).toMatchObject({ name: 'a/one', method: 'stored', size: 5, compressedSize: 5 })
    expect(bytes.subarray(one!.offset, one!.offset + one!.size).toString()).toBe('first')
  })

  test('made by torch.save and by np.savez is read from the file', async () => {
    for (const name of ['digits_cnn.pth', 'digits_test.npz']) {
      await using source = await fileSource(new URL(`../fixtures/${name}`, import.meta.url).pathname)
      const entries = await readZipDirectory(source, OPTIONS)
      expect(entries.length).toBeGreaterThan(1)
      for (const entry of entries) expect(await entryBytes(source, entry, OPTIONS)).toHaveLength(entry.size)
    }
  })

  test('larger than 4 GiB is read', async () => {
    const shift = 5 * 2 ** 30
    const wide = ENTRIES.map((entry) => ({ ...entry, zip64: true }))
    // Its first bytes are shorter than what is searched for the end of the directory, so some zeros stand before it.
    const tail = Buffer.concat([Buffer.alloc(100_000), buildZip(wide, { zip64End: true, shift: shift + 100_000 })])
    const source: ByteSource = {
      name: 'x.zip',
      size: shift + tail.length,
      read: (offset, length) => bytesSource('x.zip', tail).read(offset - shift, length),
    }
    expect(await readAll(source)).toEqual(expected)
    const entries = await readZipDirectory(source, OPTIONS)
    expect(entries[0]!.offset).toBeGreaterThan(shift)
  })

  test('streams pieces of at most 1 MiB and checks the CRC', async () => {
    const data = Buffer.alloc(3_500_000, 'abcdefg')
    for (const deflate of [false, true]) {
      const source = zipSource([{ name: 'big', data, deflate }])
      const [entry] = await readZipDirectory(source, OPTIONS)
      const pieces: Uint8Array[] = []
      for await (const piece of entryPieces(source, entry!, OPTIONS)) pieces.push(piece)
      expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(1 << 20)
      expect(Buffer.concat(pieces).equals(data)).toBe(true)
    }
  })

  test('stops inflating when the reader stops', async () => {
    const source = zipSource([{ name: 'big', data: Buffer.alloc(3_500_000, 'abcdefg'), deflate: true }])
    const [entry] = await readZipDirectory(source, OPTIONS)
    for await (const piece of entryPieces(source, entry!, OPTIONS)) {
      expect(piece.length).toBeGreaterThan(0)
      break
    }
  })
})

describe('a wrong CRC', () => {
  const wrong: EntrySpec = { name: 'a', data: text('data'), crc: 1 }

  test('is refused', async () => {
    await refusal([wrong]).toMatchObject({ code: 'DATASET_CORRUPT', message: expect.stringContaining('CRC-32') })
  })

  test('is told and the data given, where the caller asks for that', async () => {
    const source = zipSource([wrong])
    const [entry] = await readZipDirectory(source, OPTIONS)
    const warnings: string[] = []
    const bytes = await entryBytes(source, entry!, { ...OPTIONS, onCrcMismatch: (message) => warnings.push(message) })
    expect(Buffer.from(bytes).toString()).toBe('data')
    expect(warnings).toEqual([expect.stringContaining('x.zip: "a" has CRC-32')])
  })

  test('of 0 means that there is none', async () => {
    expect(await readAll(zipSource([{ ...wrong, crc: 0 }]))).toEqual({ a: 'data' })
  })
})

describe('a forged zip file is refused:', () => {
  const a: EntrySpec = { name: 'a', data: text('payload of a') }
  const b: EntrySpec = { name: 'b', data: text('payload of b') }
  const bomb = { name: 'bomb', data: Buffer.alloc(65 << 20), deflate: true }

  test.each<[string, readonly EntrySpec[], ZipSpec, string, RegExp]>([
    ['two entries of one name', [a, { ...b, name: 'a' }], {}, 'DATASET_CORRUPT', /two entries named "a"/],
    [
      'two entries on one payload',
      [a, { ...a, name: 'b', headerOffset: 0 }],
      {},
      'DATASET_CORRUPT',
      /overlap|another name/,
    ],
    [
      'overlapping entries',
      [{ ...a, size: 40, compressedSize: 40, descriptor: true }, b],
      {},
      'DATASET_CORRUPT',
      /overlap/,
    ],
    [
      'a payload that runs into the directory',
      [a, { ...b, size: 99, compressedSize: 99 }],
      {},
      'DATASET_CORRUPT',
      /runs into/,
    ],
    ['an offset outside', [{ ...a, headerOffset: 2 ** 31 }], {}, 'DATASET_CORRUPT', /runs into/],
    ['another name in the local header', [{ ...a, localName: 'c' }], {}, 'DATASET_CORRUPT', /another name/],
    ['another size in the local header', [{ ...a, localSize: 3 }], {}, 'DATASET_CORRUPT', /another size/],
    ['another method in the local header', [{ ...a, localMethod: 8 }], {}, 'DATASET_CORRUPT', /another compression/],
    ['a stored entry of two sizes', [{ ...a, size: 5 }], {}, 'DATASET_CORRUPT', /is stored but declares/],
    ['encryption', [{ ...a, flags: 0x801 }], {}, 'DATASET_UNKNOWN_FORMAT', /encrypted/],
    ['encryption in the local header', [{ ...a, localFlags: 0x801 }], {}, 'DATASET_UNKNOWN_FORMAT', /encrypted/],
    ['bzip2', [{ ...a, method: 12 }], {}, 'DATASET_UNKNOWN_FORMAT', /compression method 12/],
    ['data that does not inflate', [{ ...a, method: 8 }], {}, 'DATASET_CORRUPT', /does not inflate/],
    [
      'an inflated size that is too small',
      [{ ...a, deflate: true, size: 5 }],
      {},
      'DATASET_CORRUPT',
      /more than the 5/,
    ],
    [
      'an inflated size that is too large',
      [{ ...a, deflate: true, size: 50 }],
      {},
      'DATASET_CORRUPT',
      /inflates to 12 bytes/,
    ],
    ['bytes behind compressed data', [junkBehind(a)], {}, 'DATASET_CORRUPT', /ends after/],
    ['a zip bomb', [bomb], {}, 'LIMIT_EXCEEDED', /more than 200 times/],
    ['an empty name', [{ ...a, name: '' }], {}, 'DATASET_CORRUPT', /no UTF-8/],
    ['a name with NUL', [{ ...a, name: 'a\0b' }], {}, 'DATASET_CORRUPT', /no UTF-8/],
    ['a long name', [{ ...a, name: 'n'.repeat(2000) }], {}, 'LIMIT_EXCEEDED', /name of 2000 bytes/],
    ['fewer entries than declared', [a], { declaredEntries: 2 }, 'DATASET_CORRUPT', /entry 1 of 2 is missing/],
    ['more entries than declared', [a, b], { declaredEntries: 1 }, 'DATASET_CORRUPT', /unexpected bytes/],
    ['70 kB of junk behind it', [a], { trailing: Buffer.alloc(70_000, 7) }, 'DATASET_CORRUPT', /last 64 KiB/],
  ])('%s', async (_name, entries, spec, code, message) => {
    await refusal(entries, spec).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  function junkBehind(entry: EntrySpec): EntrySpec {
    // A stored block (RFC 1951, 3.2.4) that is the last one, and a byte that no inflater asks for.
    const length = Buffer.from([entry.data.length, 0, 255 - entry.data.length, 255])
    return { ...entry, deflate: true, payload: Buffer.concat([Buffer.from([1]), length, entry.data, Buffer.from([9])]) }
  }

  test('shifted by a prefix that the offsets do not count', async () => {
    const shifted = Buffer.concat([Buffer.alloc(5), buildZip([a])])
    await expect(readAll(bytesSource('x.zip', shifted))).rejects.toMatchObject({ code: 'DATASET_CORRUPT' })
  })

  test('more entries than the limit, before they are parsed', async () => {
    const options = { ...OPTIONS, limits: { ...DEFAULT_ZIP_LIMITS, maxEntries: 1 } }
    await expect(readZipDirectory(zipSource([a, b]), options)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  test('an entry that is too large to be read whole', async () => {
    const source = zipSource([a])
    const [entry] = await readZipDirectory(source, OPTIONS)
    const options = { ...OPTIONS, limits: { ...DEFAULT_ZIP_LIMITS, maxEntryBytes: 11 } }
    await expect(entryBytes(source, entry!, options)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  test('cut anywhere', async () => {
    const whole = readFileSync(new URL('../fixtures/cancer_mlp.pth', import.meta.url))
    for (let length = 0; length < whole.length; length += 97)
      await expect(readAll(bytesSource('x.zip', whole.subarray(0, length)))).rejects.toMatchObject({
        code: 'DATASET_CORRUPT',
      })
  })
})
