import { quoted, readPieces, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import { batchOfCells, checkColumnCount, typedNumber, type Table, type TableBatch } from './table.ts'

/** Bytes of the lines of a batch. */
const BATCH_BYTES = 1 << 20

type JsonRecord = Readonly<Record<string, unknown>>

/**
 * A file with a JSON object on each line. The first line names the columns; one that is missing from another line has no value there.
 * @throws AppError DATASET_CORRUPT with the line, LIMIT_EXCEEDED.
 */
export async function jsonlTable(source: ByteSource, limits: DatasetLimits): Promise<Table> {
  const names = await firstNames(source, limits)
  checkColumnCount(source, names, limits)
  return {
    format: 'jsonl',
    names,
    numberOf: typedNumber,
    // Empty lines count no rows, so a row's line is looked up.
    place: async (row, name) => `${source.name}: line ${await lineOfRow(source, limits, row)}, ${quoted(name)}`,
    batches: () => batches(source, limits, new Set(names)),
  }
}

async function firstNames(source: ByteSource, limits: DatasetLimits): Promise<string[]> {
  for await (const { line, text } of lines(source, limits)) return Object.keys(recordOf(source, line, text))
  throw new AppError('DATASET_CORRUPT', `${source.name} has no lines`)
}

async function lineOfRow(source: ByteSource, limits: DatasetLimits, row: number): Promise<number> {
  let seen = 0
  for await (const { line } of lines(source, limits)) if (seen++ === row) return line
  return 0
}

async function* batches(
  source: ByteSource,
  limits: DatasetLimits,
  names: ReadonlySet<string>,
): AsyncGenerator<TableBatch> {
  let records: JsonRecord[] = []
  let bytes = 0
  const batch = (): TableBatch => {
    const own = records
    const columns = [...names]
    const cells = (index: number, count: number) => own.slice(0, count).map((record) => record[columns[index]!])
    return batchOfCells(own.length, cells, typedNumber)
  }
  for await (const { line, text } of lines(source, limits)) {
    const record = recordOf(source, line, text)
    const extra = Object.keys(record).find((name) => !names.has(name))
    if (extra !== undefined)
      throw new AppError(
        'DATASET_CORRUPT',
        `${source.name}: line ${line} has ${quoted(extra)}, which the first line has not; every line needs the same names`,
      )
    records.push(record)
    bytes += text.length
    if (bytes < BATCH_BYTES) continue
    yield batch()
    records = []
    bytes = 0
  }
  if (records.length > 0) yield batch()
}

function recordOf(source: ByteSource, line: number, text: string): JsonRecord {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name}: line ${line} is no JSON: ${(error as Error).message.slice(0, 200)}`,
    )
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError('DATASET_CORRUPT', `${source.name}: line ${line} is no JSON object {"name": value, …}`)
  return value as JsonRecord
}

/** Lines that hold something, counted from 1. */
async function* lines(
  source: ByteSource,
  limits: DatasetLimits,
): AsyncGenerator<{ readonly line: number; readonly text: string }> {
  const decoder = new TextDecoder('utf-8')
  let rest = ''
  let line = 0
  const checked = (text: string): string => {
    if (text.length > limits.maxRecordBytes)
      throw new AppError(
        'LIMIT_EXCEEDED',
        `${source.name}: line ${line + 1} is longer than ${limits.maxRecordBytes} bytes`,
      )
    return text
  }
  for await (const piece of readPieces(source, 0, source.size)) {
    const parts = (rest + decoder.decode(piece, { stream: true })).split('\n')
    rest = checked(parts.pop()!)
    for (const text of parts) {
      line++
      if (text.trim() !== '') yield { line, text: checked(text) }
    }
  }
  rest += decoder.decode()
  if (rest.trim() !== '') yield { line: line + 1, text: rest }
}
