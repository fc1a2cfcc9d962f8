import { quoted, type ByteSource } from '../container/index.ts'
import { AppError, invariant } from '../error.ts'
import type { Column, ColumnStatistics, DatasetFile } from './columns.ts'
import { csvNumber } from './csv-number.ts'
import { csvRecords, type CsvDialect } from './csv-records.ts'
import { scanCsv, type CsvFacts } from './csv-scan.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'

const PIECE_BYTES = 1 << 20

/**
 * A CSV file with a header line. All features are one float32 column; labels are int64 where they are whole numbers or
 * text, else float64. The file is parsed once to open it and once for each column that is read: nothing of it is kept
 * in memory.
 */
export async function openCsv(
  source: ByteSource,
  options: DatasetOptions,
  limits: DatasetLimits,
): Promise<DatasetFile> {
  const dialect = { delimiter: options.delimiter ?? ',' }
  if (dialect.delimiter === '' || /["\r\n]/.test(dialect.delimiter))
    throw new AppError('BAD_INPUT', `delimiter ${quoted(dialect.delimiter)} cannot stand between fields`)
  const facts = await scanCsv(source, dialect, options, limits)
  const labels = labelColumn(source, facts)
  const name = labels?.column.name === 'x' ? 'features' : 'x'
  const columns: readonly Column[] = [
    { name, role: 'FEATURE', dtype: 'float32', shape: [facts.columns.features.length] },
    ...(labels === null ? [] : [labels.column]),
  ]
  return {
    format: 'csv',
    rows: facts.rows,
    columns,
    labelNames: labels?.names ?? null,
    read: (index) => {
      if (index === 0) return fieldBytes(source, dialect, limits, facts.columns.features, writeFloat32)
      invariant(index === 1 && labels !== null, `a CSV file has columns 0 and, for labels, 1; not ${index}`)
      return fieldBytes(source, dialect, limits, facts.columns.labels, labels.write)
    },
    statistics: (index) => {
      if (index === 0) return facts.features
      invariant(index === 1 && labels !== null, `a CSV file has columns 0 and, for labels, 1; not ${index}`)
      return labels.statistics
    },
    // The source is its opener's to close.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** Writes a field as little-endian bytes. */
interface FieldWriter {
  readonly size: number
  (view: DataView, at: number, text: string): void
}

const writer = (size: number, write: (view: DataView, at: number, text: string) => void): FieldWriter =>
  Object.assign(write, { size })

const writeFloat32 = writer(4, (view, at, text) => view.setFloat32(at, csvNumber(text)!, true))
const writeFloat64 = writer(8, (view, at, text) => view.setFloat64(at, csvNumber(text)!, true))
const writeInt64 = writer(8, (view, at, text) => view.setBigInt64(at, BigInt(csvNumber(text)!), true))

interface LabelColumn {
  readonly column: Column
  readonly names: readonly string[] | null
  readonly statistics: ColumnStatistics
  readonly write: FieldWriter
}

/** One label column as it is; several, which have to be numbers, side by side; null for none. */
function labelColumn(source: ByteSource, { columns, labels }: CsvFacts): LabelColumn | null {
  if (labels.length === 0) return null
  const headers = columns.labels.map((index) => columns.names[index]!)
  const text = labels.findIndex(({ names }) => names !== null)
  if (labels.length > 1 && text !== -1)
    throw new AppError(
      'DATASET_UNSUPPORTED',
      `${source.name}: column ${quoted(headers[text]!)} holds text; several label columns have to be numbers (0 or 1 for MULTILABEL)`,
    )
  const dtype = labels.every((label) => label.dtype === 'int64') ? 'int64' : 'float64'
  const names = labels[0]!.names
  const codes = new Map(names?.map((name, code) => [name, BigInt(code)]))
  const writeCode = writer(8, (view, at, label) => view.setBigInt64(at, codes.get(label.trim())!, true))
  return {
    column: { name: headers.join(','), role: 'LABEL', dtype, shape: labels.length === 1 ? [] : [labels.length] },
    names,
    statistics: {
      min: labels.reduce((min, { statistics }) => Math.min(min, statistics.min), Infinity),
      max: labels.reduce((max, { statistics }) => Math.max(max, statistics.max), -Infinity),
      integral: labels.every(({ statistics }) => statistics.integral),
    },
    write: names !== null ? writeCode : dtype === 'int64' ? writeInt64 : writeFloat64,
  }
}

async function* fieldBytes(
  source: ByteSource,
  dialect: CsvDialect,
  limits: DatasetLimits,
  fields: readonly number[],
  write: FieldWriter,
): AsyncGenerator<Uint8Array> {
  const rowBytes = fields.length * write.size
  const capacity = Math.max(1, Math.floor(PIECE_BYTES / rowBytes)) * rowBytes
  let view = new DataView(new ArrayBuffer(capacity))
  let at = 0
  let header = true
  for await (const record of csvRecords(source, dialect, limits)) {
    if (header) {
      header = false
      continue
    }
    for (const index of fields) {
      write(view, at, record[index]!)
      at += write.size
    }
    if (at < capacity) continue
    yield new Uint8Array(view.buffer)
    view = new DataView(new ArrayBuffer(capacity))
    at = 0
  }
  if (at > 0) yield new Uint8Array(view.buffer, 0, at)
}
