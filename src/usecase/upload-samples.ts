import type { ByteSource } from '../container/index.ts'
import { openDataset } from '../dataset/index.ts'
import { AppError } from '../error.ts'
import { bytesRows, rowBytes, type ColumnFacts } from '../evaluation/index.ts'
import type { GivenSamples } from './given-samples.ts'
import type { PredictionLimits } from './prediction-limits.ts'

/**
 * The samples of an uploaded file of any kind that datasets are imported from; its labels, if it has some, are the truth.
 * @throws AppError BAD_INPUT, DATASET_UNKNOWN_FORMAT, DATASET_CORRUPT, DATASET_UNSUPPORTED, DATASET_NOT_FINITE, LIMIT_EXCEEDED.
 */
export async function uploadSamples(
  source: ByteSource,
  labelColumn: string | undefined,
  limits: PredictionLimits,
): Promise<GivenSamples> {
  await using file = await openDataset(source, { labelColumn, labelsOptional: true })
  const { rows, columns } = file
  if (rows > limits.samples)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${source.name} has ${rows} samples; at most ${limits.samples} are predicted at a time: send fewer, or import it as a dataset`,
    )
  const total = columns.reduce((sum, column) => sum + rowBytes(column) * rows, 0)
  if (total > limits.inputBytes)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `the samples of ${source.name} are ${total} bytes; at most ${limits.inputBytes} are predicted at a time: send fewer`,
    )
  const facts: ColumnFacts[] = []
  const bytes = new Map<string, Uint8Array>()
  for (const [index, column] of columns.entries()) {
    const values = new Uint8Array(rowBytes(column) * rows)
    let at = 0
    for await (const piece of file.read(index)) {
      values.set(piece, at)
      at += piece.length
    }
    bytes.set(column.name, values)
    facts.push({ ...column, statistics: file.statistics(index) })
  }
  return {
    facts: { rows, columns: facts },
    n: rows,
    rows: null,
    readers: (names) =>
      Promise.resolve(
        new Map(
          columns
            .filter(({ name }) => names.has(name))
            .map(({ name, dtype, shape }) => [name, bytesRows(dtype, shape, bytes.get(name)!)]),
        ),
      ),
  }
}
