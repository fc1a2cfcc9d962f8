import type { ColumnMetaData, Compressors, SchemaElement } from 'hyparquet'
import { pageHeader, type PageHeader } from './parquet-page.ts'

/** Encodings of values (parquet-format, Encodings.md). */
const [PLAIN, PLAIN_DICTIONARY, RLE_DICTIONARY] = [0, 2, 8]
/** Bits of an index up to which four bytes hold one, wherever it begins. */
const MOST_BITS = 25

type NumberType = 'INT32' | 'INT64' | 'FLOAT' | 'DOUBLE'
const BYTES = { INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8 } as const satisfies Record<NumberType, number>

/** A column that `columnNumbers` may read: of numbers that stand for themselves, one or none in a row. */
export const hasPlainNumbers = ({
  type,
  repetition_type: repetition,
  num_children: children,
  converted_type: converted,
  logical_type: logical,
}: SchemaElement): boolean =>
  type !== undefined &&
  type in BYTES &&
  children === undefined &&
  (repetition === 'REQUIRED' || repetition === 'OPTIONAL') &&
  (converted === undefined || /^INT_/.test(converted)) &&
  (logical === undefined || (logical.type === 'INTEGER' && logical.isSigned))

/**
 * The numbers of a column in one row group, NaN where there is none. hyparquet makes a list of JavaScript values of a column, whatever it
 * holds; this is for the columns that most tables have most of, at a tenth of the time.
 * @param chunk the column's bytes in the row group.
 * @returns null for pages in an encoding that is not read here.
 * @throws Error for bytes that are no such column.
 */
export function columnNumbers(
  chunk: Uint8Array,
  { codec }: ColumnMetaData,
  element: SchemaElement,
  rows: number,
  compressors: Compressors,
): Float64Array | null {
  const type = element.type as NumberType
  const out = new Float64Array(rows)
  let dictionary: Float64Array | null = null
  let filled = 0
  for (let at = 0; filled < rows && at < chunk.length;) {
    const { header, end } = pageHeader(chunk, at)
    at = end + header.packedBytes
    if (at > chunk.length) throw new Error(`a page of ${header.packedBytes} bytes is cut off`)
    if (header.kind === 'OTHER') continue
    const packed = chunk.subarray(end, at)
    if (header.kind === 'DICTIONARY') {
      const page = unpacked(packed, header, codec, compressors)
      if (header.values > page.length / BYTES[type]) throw new Error('a dictionary is cut off')
      dictionary = new Float64Array(header.values)
      plain(page, 0, type, dictionary)
      continue
    }
    if (header.values > rows - filled) throw new Error(`there are more than ${rows} values`)
    const values = out.subarray(filled, filled + header.values)
    if (!dataPage(packed, header, element, codec, compressors, dictionary, values)) return null
    filled += header.values
  }
  if (filled !== rows) throw new Error(`there are ${filled} values for ${rows} rows`)
  return out
}

/** Fills `out` with the values of a page. False for an encoding that is not read here. */
function dataPage(
  packed: Uint8Array,
  header: PageHeader,
  { type, repetition_type: repetition }: SchemaElement,
  codec: ColumnMetaData['codec'],
  compressors: Compressors,
  dictionary: Float64Array | null,
  out: Float64Array,
): boolean {
  const { kind, levelBytes, encoding, unpackedBytes } = header
  if (levelBytes > Math.min(packed.length, unpackedBytes)) throw new Error('the levels of a page are cut off')
  // The levels of the second version lie before what is packed.
  const body = packed.subarray(levelBytes)
  const page = unpacked(body, { ...header, unpackedBytes: unpackedBytes - levelBytes }, codec, compressors)
  let at = 0
  let missing: Uint32Array | null = null
  if (repetition === 'OPTIONAL') {
    let levels = packed.subarray(0, levelBytes)
    if (kind === 'DATA') {
      const length = page.length < 4 ? NaN : view(page).getUint32(0, true)
      if (!(length <= page.length - 4)) throw new Error('the levels of a page are cut off')
      levels = page.subarray(4, 4 + length)
      at = 4 + length
    }
    missing = absent(levels, out.length)
  }
  const present = missing === null ? out.length : out.length - missing.length
  const values = present === out.length ? out : new Float64Array(present)
  if (encoding === PLAIN) plain(page, at, type as NumberType, values)
  else if (encoding === PLAIN_DICTIONARY || encoding === RLE_DICTIONARY) {
    if (present > 0) {
      if (dictionary === null) throw new Error('a page refers to a dictionary that is not there')
      const bits = page[at]
      if (bits === undefined) throw new Error('a page is cut off')
      if (bits > MOST_BITS) return false
      const indexes = new Uint32Array(present)
      hybrid(page.subarray(at + 1), bits, indexes)
      const size = dictionary.length
      for (let i = 0; i < present; i++) {
        const index = indexes[i]!
        if (index >= size) throw new Error(`a page refers to value ${index} of a dictionary of ${size}`)
        values[i] = dictionary[index]!
      }
    }
  } else return false
  if (missing !== null && missing.length > 0) spread(values, missing, out)
  return true
}

function unpacked(
  packed: Uint8Array,
  { unpackedBytes, packed: isPacked }: PageHeader,
  codec: ColumnMetaData['codec'],
  compressors: Compressors,
): Uint8Array {
  if (codec === 'UNCOMPRESSED' || !isPacked) return packed
  const unpack = compressors[codec]
  if (unpack === undefined) throw new Error(`unsupported compression ${codec}`)
  const page = unpack(packed, unpackedBytes)
  if (page.length !== unpackedBytes) throw new Error(`a page has ${page.length} bytes, not ${unpackedBytes}`)
  return page
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Fills `out` with numbers that lie one after the other, little-endian. */
function plain(page: Uint8Array, at: number, type: NumberType, out: Float64Array): void {
  const bytes = out.length * BYTES[type]
  if (bytes > page.length - at) throw new Error('the values of a page are cut off')
  // A copy begins where any type may.
  const { buffer } = page.slice(at, at + bytes)
  switch (type) {
    case 'FLOAT':
      out.set(new Float32Array(buffer))
      break
    case 'DOUBLE':
      out.set(new Float64Array(buffer))
      break
    case 'INT32':
      out.set(new Int32Array(buffer))
      break
    case 'INT64': {
      const [low, high] = [new Uint32Array(buffer), new Int32Array(buffer)]
      for (let i = 0; i < out.length; i++) out[i] = high[2 * i + 1]! * 2 ** 32 + low[2 * i]!
    }
  }
}

/** The rows whose definition level is 0, of levels of one bit. */
function absent(levels: Uint8Array, rows: number): Uint32Array {
  if (allPresent(levels, rows)) return new Uint32Array()
  const all = new Uint32Array(rows)
  hybrid(levels, 1, all)
  let count = 0
  for (let i = 0; i < rows; i++) if (all[i] === 0) count++
  const missing = new Uint32Array(count)
  for (let i = 0, to = 0; to < count; i++) if (all[i] === 0) missing[to++] = i
  return missing
}

/** Whether the levels are one run of ones, as they are where nothing is missing. */
function allPresent(levels: Uint8Array, rows: number): boolean {
  let [head, at] = [0, 0]
  for (let shift = 0; shift < 28; shift += 7) {
    const part = levels[at++] ?? 0
    head |= (part & 0x7f) << shift
    if (part < 128) break
  }
  return head % 2 === 0 && head / 2 >= rows && levels[at] === 1
}

/** Puts values into the rows that are not missing, and NaN into the others. */
function spread(values: Float64Array, missing: Uint32Array, out: Float64Array): void {
  for (let row = 0, from = 0, gap = 0; row < out.length; row++)
    if (row === missing[gap]) {
      out[row] = NaN
      gap++
    } else out[row] = values[from++]!
}

/** Fills `out` with numbers of so many bits, in runs of one number or packed one after the other (Encodings.md, RLE). */
function hybrid(bytes: Uint8Array, bits: number, out: Uint32Array): void {
  const { length } = bytes
  const mask = bits === 0 ? 0 : 0xffffffff >>> (32 - bits)
  const width = (bits + 7) >> 3
  let at = 0
  let filled = 0
  while (filled < out.length) {
    let head = 0
    for (let scale = 1; ; scale *= 128) {
      if (at >= length || scale > 2 ** 28) throw new Error('a run of numbers is cut off')
      const part = bytes[at++]!
      head += (part & 0x7f) * scale
      if (part < 128) break
    }
    if (head % 2 === 0) {
      let value = 0
      for (let i = 0; i < width; i++) value |= (bytes[at + i] ?? 0) << (8 * i)
      at += width
      const end = Math.min(out.length, filled + head / 2)
      if (head === 0) throw new Error('a run of no numbers')
      out.fill(value >>> 0, filled, end)
      filled = end
    } else {
      const count = Math.min(out.length - filled, ((head - 1) / 2) * 8)
      if (count === 0) throw new Error('a run of no numbers')
      if (at + Math.ceil((count * bits) / 8) > length) throw new Error('a run of numbers is cut off')
      for (let i = 0, bit = 0; i < count; i++, bit += bits) {
        const place = at + (bit >>> 3)
        // Beyond the end there is nothing, which counts as 0.
        const word = bytes[place]! | (bytes[place + 1]! << 8) | (bytes[place + 2]! << 16) | (bytes[place + 3]! << 24)
        out[filled + i] = (word >>> (bit & 7)) & mask
      }
      filled += count
      at += ((head - 1) / 2) * bits
    }
  }
}
