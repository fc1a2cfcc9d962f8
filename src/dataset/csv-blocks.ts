import { readPieces, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { DatasetLimits } from './dataset-limits.ts'

/** How a CSV file is read. */
export interface CsvDialect {
  readonly delimiter: string
}

/** Records that lie in memory together. Field `i` of record `r` has place `r * fields + i`. */
export interface CsvBlock {
  readonly records: number
  /** Of every record. */
  readonly fields: number
  readonly bytes: Buffer
  /** First byte of the field at a place, without a quote around it. */
  readonly starts: Uint32Array
  /** The byte after it. */
  readonly ends: Uint32Array
  /** Line on which a record ends, from 1. */
  readonly lines: Uint32Array
}

const [QUOTE, LF, CR] = [0x22, 0x0a, 0x0d]
const BOM = [0xef, 0xbb, 0xbf]

/**
 * The records of a CSV file (RFC 4180; UTF-8 with or without BOM; LF, CRLF, or CR where the first line ends so; empty lines are skipped),
 * the header first. All have as many fields as the header. A block is made of a piece of the file and what was left of the one before, so
 * that a MiB and the longest record are in memory.
 * @throws AppError DATASET_CORRUPT with the line, LIMIT_EXCEEDED.
 */
export async function* csvBlocks(
  source: ByteSource,
  dialect: CsvDialect,
  limits: DatasetLimits,
): AsyncGenerator<CsvBlock> {
  const scanner = csvScanner(source.name, dialect, limits)
  let rest: Buffer = Buffer.alloc(0)
  let offset = 0
  for await (const piece of readPieces(source, 0, source.size)) {
    const begin = offset === 0 && BOM.every((byte, i) => piece[i] === byte) ? BOM.length : 0
    offset += piece.length
    const bytes = Buffer.concat([rest, piece.subarray(begin)])
    const { block, used } = scanner.scan(bytes, offset === source.size)
    if (block.records > 0) yield block
    rest = bytes.subarray(used)
    if (rest.length > limits.maxRecordBytes) throw scanner.tooLong()
  }
}

/** The text of the field at a place. */
export function fieldText({ bytes, starts, ends }: CsvBlock, place: number): string {
  const text = bytes.toString('utf8', starts[place], ends[place])
  // Only fields in quotes have quotes inside, two for each.
  return text.includes('"') ? text.replaceAll('""', '"') : text
}

interface Scanner {
  /** The records that end in `bytes`, which begin with a record, and the bytes that they take. `last`: nothing comes after. */
  scan(bytes: Buffer, last: boolean): { readonly block: CsvBlock; readonly used: number }
  /** The error for the record that has not ended yet. */
  tooLong(): AppError
}

function csvScanner(name: string, { delimiter }: CsvDialect, limits: DatasetLimits): Scanner {
  const separator = Buffer.from(delimiter)
  const special = new Uint8Array(256)
  for (const byte of [separator[0]!, QUOTE, LF, CR]) special[byte] = 1
  /** Of the header, once it is known. */
  let fields = 0
  /** Lines that have ended. */
  let lines = 0
  /** Whether CR alone ends a line: where the first line ends so. */
  let bareCr: boolean | null = null

  const corrupt = (line: number, problem: string): AppError =>
    new AppError('DATASET_CORRUPT', `${name}: line ${line} ${problem}`)
  const tooLong = (): AppError =>
    new AppError(
      'LIMIT_EXCEEDED',
      `${name}: line ${lines + 1} is longer than ${limits.maxRecordBytes} bytes; is a quote missing?`,
    )

  // What every byte passes through is in variables that no other function sees: those are kept in registers.
  function scan(bytes: Buffer, last: boolean): { readonly block: CsvBlock; readonly used: number } {
    const { length } = bytes
    const first = separator[0]!
    const highest = Math.max(first, QUOTE)
    let places = Math.max(1 << 10, length >> 3)
    let starts = new Uint32Array(places)
    let ends = new Uint32Array(places)
    let recordLines = new Uint32Array(1 << 10)
    let count = 0
    let records = 0
    // Where the record begins, its fields so far, and the lines before the place that is looked at.
    let begin = 0
    let own = 0
    let line = lines
    let at = 0
    // Whether a separator came, after which there is a field even if the file ends.
    let open = false

    while (at < length || open) {
      let start = at
      let end: number
      if (at < length && bytes[at] === QUOTE) {
        start = ++at
        for (;;) {
          for (; at < length && bytes[at] !== QUOTE; at++) if (bytes[at] === LF) line++
          // A quote at the end of what is there may be the first of two.
          if (at >= length - 1 || bytes[at + 1] !== QUOTE) break
          at += 2
        }
        if (at >= length - 1 && !last) break
        if (at >= length) {
          if (length - begin > limits.maxRecordBytes) throw tooLong()
          throw new AppError('DATASET_CORRUPT', `${name}: a quoted field is still open at the end of the file`)
        }
        end = at++
        if (at < length && bytes[at] !== LF && bytes[at] !== CR && !startsWith(bytes, at, separator)) {
          if (at + separator.length > length && !last) break
          throw corrupt(line + 1, 'has text after a quoted field; quotes inside of a field are doubled')
        }
      } else {
        for (;;) {
          let byte = 0
          // Digits are above a comma.
          while (at < length && ((byte = bytes[at]!) > highest || special[byte] === 0)) at++
          if (at >= length) break
          if (byte === LF) break
          if (byte === CR && ((bareCr ?? true) || at + 1 >= length || bytes[at + 1] === LF)) break
          if (byte === QUOTE)
            throw corrupt(line + 1, 'has a quote in a field that does not begin with one; put the field into quotes')
          if (byte === first && (separator.length === 1 || startsWith(bytes, at, separator))) break
          if (byte === first && at + separator.length > length) break
          at++
        }
        end = at
      }

      // What comes after the field: nothing, the end of a line, or a separator.
      let width = 0
      if (at < length) {
        const byte = bytes[at]!
        if (byte === LF) width = 1
        else if (byte === CR) {
          if (at + 1 >= length && !last) break
          width = bytes[at + 1] === LF ? 2 : 1
        } else if (at + separator.length > length) {
          if (!last) break
          // The beginning of a separator of several bytes, at the end of the file, is none.
          end = at = length
        }
      } else if (!last) break
      const isEnd = width > 0 || at >= length
      open = false
      if (width > 0) bareCr ??= bytes[at] === CR && width === 1
      if (isEnd && own === 0 && start === begin && end === start) {
        // An empty line.
        if (width > 0) lines = ++line
        at += width
        begin = at
        continue
      }
      if (count === places) {
        places *= 2
        starts = grown(starts, places)
        ends = grown(ends, places)
      }
      starts[count] = start
      ends[count++] = end
      own++
      if (!isEnd) {
        at += separator.length
        open = at >= length && last
        continue
      }
      line++
      if (at - begin > limits.maxRecordBytes) throw tooLong()
      if (fields === 0) fields = own
      else if (own !== fields) throw corrupt(line, `has ${own} fields, the header has ${fields}`)
      if (records === recordLines.length) recordLines = grown(recordLines, 2 * records)
      recordLines[records++] = line
      lines = line
      own = 0
      at += width
      begin = at
    }
    return { block: { records, fields, bytes, starts, ends, lines: recordLines }, used: begin }
  }

  return { scan, tooLong }
}

function startsWith(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false
  return true
}

function grown(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length)
  larger.set(array)
  return larger
}
