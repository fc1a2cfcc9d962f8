import { parse, type Options } from 'csv-parse'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { readPieces, quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { DatasetLimits } from './dataset-limits.ts'

/** How a CSV file is read. */
export interface CsvDialect {
  readonly delimiter: string
}

/**
 * The records of a CSV file (RFC 4180; UTF-8 with or without BOM; LF, CRLF or CR; empty lines are skipped), the header
 * first. All have as many fields as the header.
 * @throws AppError DATASET_CORRUPT with the line, LIMIT_EXCEEDED.
 */
export function csvRecords(source: ByteSource, dialect: CsvDialect, limits: DatasetLimits): AsyncGenerator<string[]> {
  return parsed<string[]>(source, dialect, limits, {})
}

/** The line on which record `index` ends; 0 is the header. */
export async function lineOf(
  source: ByteSource,
  dialect: CsvDialect,
  limits: DatasetLimits,
  index: number,
): Promise<number> {
  let line = 1
  // Positions cost time for every record, so only a failure asks for them, with a second look at the file.
  for await (const { info } of parsed<{ info: { lines: number } }>(source, dialect, limits, {
    info: true,
    to: index + 1,
  }))
    line = info.lines
  return line
}

async function* parsed<Item>(
  source: ByteSource,
  { delimiter }: CsvDialect,
  limits: DatasetLimits,
  options: Options,
): AsyncGenerator<Item> {
  const parser = parse({
    bom: true,
    delimiter,
    skip_empty_lines: true,
    max_record_size: limits.maxRecordBytes,
    ...options,
  })
  // Its failure surfaces in the loop below, because pipeline destroys the parser with the error.
  const feeding = pipeline(Readable.from(buffers(source)), parser).catch(() => undefined)
  try {
    for await (const record of parser as AsyncIterable<Item>) yield record
  } catch (error) {
    throw isCsvError(error) ? explained(source, error, limits) : error
  } finally {
    parser.destroy()
    await feeding
  }
}

async function* buffers(source: ByteSource): AsyncGenerator<Buffer> {
  for await (const piece of readPieces(source, 0, source.size))
    yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
}

/** What csv-parse adds to its errors. */
interface CsvError extends Error {
  readonly code: string
  readonly lines?: number
  readonly record?: readonly unknown[]
}

/** By its code, not by its class: the parser may come from another realm. */
const isCsvError = (error: unknown): error is CsvError =>
  error instanceof Error && 'code' in error && /^(CSV|INVALID)_/.test(String(error.code))

function explained(source: ByteSource, error: CsvError, limits: DatasetLimits): AppError {
  const where = `${source.name}: line ${error.lines ?? '?'}`
  switch (error.code) {
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH': {
      const expected = /expect (\d+)/.exec(error.message)?.[1] ?? '?'
      return new AppError(
        'DATASET_CORRUPT',
        `${where} has ${error.record?.length ?? '?'} fields, the header has ${expected}`,
      )
    }
    case 'CSV_MAX_RECORD_SIZE':
      return new AppError(
        'LIMIT_EXCEEDED',
        `${where} is longer than ${limits.maxRecordBytes} bytes; is a quote missing?`,
      )
    case 'CSV_QUOTE_NOT_CLOSED':
      return new AppError('DATASET_CORRUPT', `${source.name}: a quoted field is still open at the end of the file`)
    default:
      return new AppError('DATASET_CORRUPT', `${where}: ${quoted(error.message, 200)}`, { cause: error })
  }
}
