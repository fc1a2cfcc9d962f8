import { quoted, type ByteSource } from '../container/index.ts'
import { AppError, invariant } from '../error.ts'
import { arrowTable } from './arrow-table.ts'
import type { DatasetFile } from './columns.ts'
import { csvTable } from './csv-table.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { jsonlTable } from './jsonl-table.ts'
import { parquetTable } from './parquet-table.ts'
import type { FileFormat } from './recognise-format.ts'
import { openScratch, type Scratch } from './scratch-file.ts'
import { besides, stageScalar, type ScalarStage, type StagedScalar } from './stage-scalar.ts'
import { stageFeatures } from './stage-features.ts'
import { stageIds } from './stage-ids.ts'
import { stageList } from './stage-list.ts'
import { BadCell, explainCell, type Stage, type StagedColumn } from './staged-column.ts'
import { isList, type Table, type TableBatch } from './table.ts'
import { tableRoles, type TableRoles } from './table-roles.ts'

/**
 * A dataset whose file is a table: it is read once, and its columns wait in scratch files to be stored one after the other. Columns of one
 * number each are one float32 feature; labels are int64 where they are whole numbers or text, else float64.
 * @param given a feature that lies there already: then the table has none of its own.
 * @throws AppError DATASET_CORRUPT, DATASET_NOT_FINITE with row and column; BAD_INPUT, LIMIT_EXCEEDED.
 */
export async function openTable(
  source: ByteSource,
  table: Table,
  options: DatasetOptions,
  limits: DatasetLimits,
  given?: StagedColumn,
): Promise<DatasetFile> {
  const scratch = await openScratch(options.scratchDir)
  try {
    const { rows, columns: staged } = await stageAll(source, table, options, limits, scratch, given !== undefined)
    const columns = given === undefined ? staged : [given, ...staged]
    return {
      format: table.format,
      rows,
      columns: columns.map(({ column }) => column),
      read: (index) => columnAt(columns, index).read(),
      statistics: (index) => columnAt(columns, index).statistics,
      [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
    }
  } catch (error) {
    await scratch[Symbol.asyncDispose]()
    throw error instanceof BadCell ? await explainCell(table, error) : error
  }
}

function columnAt(columns: readonly StagedColumn[], index: number): StagedColumn {
  const found = columns[index]
  invariant(found !== undefined, `there is no column ${index}`)
  return found
}

/** The table that a file holds; null for a format that is none. */
export async function tableOf(
  source: ByteSource,
  format: FileFormat,
  options: DatasetOptions,
  limits: DatasetLimits,
): Promise<Table | null> {
  switch (format) {
    case 'csv':
      return await csvTable(source, options, limits)
    case 'jsonl':
      return await jsonlTable(source, limits)
    case 'parquet':
      return await parquetTable(source, limits)
    case 'arrow':
      return await arrowTable(source, limits)
    default:
      return null
  }
}

/** Rows that are looked at, where not all are. */
const rowsWanted = ({ rows }: DatasetOptions): number => rows ?? Infinity

async function stageAll(
  source: ByteSource,
  table: Table,
  options: DatasetOptions,
  limits: DatasetLimits,
  scratch: Scratch,
  featuresGiven: boolean,
): Promise<{ readonly rows: number; readonly columns: readonly StagedColumn[] }> {
  const all = table.names.map((_, index) => index)
  let stages: Stages | null = null
  let rows = 0
  for await (const batch of table.batches(all)) {
    if (stages === null) {
      const firstRow = await Promise.all(all.map(async (index) => (await batch.cells(index, 1))[0]))
      stages = openStages(table, tableRoles(source, table, firstRow, options, featuresGiven), firstRow, scratch, limits)
    }
    const wanted = limited(batch, rowsWanted(options) - rows)
    for (const stage of [...stages.features, ...stages.labels, ...stages.others]) await stage.take(wanted, rows)
    rows += wanted.rows
    if (rows >= rowsWanted(options)) break
  }
  if (stages === null) throw new AppError('DATASET_CORRUPT', `${source.name} has a header and no rows`)
  return { rows, columns: finished(source, stages) }
}

const limited = (batch: TableBatch, rows: number): TableBatch =>
  batch.rows <= rows
    ? batch
    : { rows, cells: (index, count = rows) => batch.cells(index, count), numbers: (index) => batch.numbers(index) }

interface Stages {
  readonly features: readonly Stage[]
  readonly labels: readonly (Stage | ScalarStage)[]
  readonly others: readonly Stage[]
}

function openStages(
  table: Table,
  { features, lists, labels, weight, id, slices, inferred }: TableRoles,
  firstRow: readonly unknown[],
  scratch: Scratch,
  limits: DatasetLimits,
): Stages {
  const scalar = (index: number, role: 'LABEL' | 'WEIGHT' | 'SLICE') =>
    stageScalar(table, index, scratch, limits, {
      role,
      missing: role === 'SLICE',
      numbersOnly: role === 'WEIGHT',
      inferred: inferred.has(index),
    })
  const names = [...labels, ...lists, ...slices].map((index) => table.names[index])
  const name = names.includes('x') ? 'features' : 'x'
  return {
    features: [
      ...(features.length === 0 ? [] : [stageFeatures(table, name, features, scratch)]),
      ...lists.map((index) => stageList(table, index, 'FEATURE', scratch)),
    ],
    labels: labels.map((index) =>
      labels.length === 1 && isList(firstRow[index])
        ? stageList(table, index, 'LABEL', scratch)
        : scalar(index, 'LABEL'),
    ),
    others: [
      ...(weight === null ? [] : [scalar(weight, 'WEIGHT')]),
      ...slices.map((index) => scalar(index, 'SLICE')),
      ...(id === null ? [] : [stageIds(table, id, scratch, limits)]),
    ],
  }
}

function finished(source: ByteSource, { features, labels, others }: Stages): StagedColumn[] {
  const done = (stages: readonly Stage[]): StagedColumn[] => stages.flatMap((stage) => stage.finish() ?? [])
  const truth = done(labels)
  const text = truth.find(({ column }) => column.names != null)
  if (truth.length > 1 && text !== undefined)
    throw new AppError(
      'DATASET_UNSUPPORTED',
      `${source.name}: column ${quoted(text.column.name)} holds text; several label columns have to be numbers (0 or 1 for MULTILABEL)`,
    )
  return [...done(features), ...(truth.length > 1 ? [besides(truth as StagedScalar[])] : truth), ...done(others)]
}
