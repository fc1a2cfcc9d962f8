import { AppError } from '../error.ts'
import type { DatasetFit } from '../evaluation/index.ts'
import { fitDataset } from '../evaluation/index.ts'
import type { Task } from '../metric/index.ts'
import type { RunRow } from '../store/index.ts'
import { architectureGraph } from './architecture-graph.ts'
import { datasetFacts } from './dataset-facts.ts'
import { logitsWidth } from './logits-width.ts'
import { runMetricOptions } from './metric-options.ts'
import { classIndexes } from './model-answer.ts'
import type { DatasetWithColumns } from './load-dataset.ts'
import type { Platform } from './platform.ts'

/** A run with what is needed to read its samples. */
export interface KeptRun {
  readonly id: string
  readonly row: RunRow
  readonly task: Task
  readonly fit: DatasetFit
  readonly dataset: DatasetWithColumns
  /** Logits of one sample, and targets. */
  readonly width: number
  readonly codes: number
}

/** @throws AppError NOT_FOUND. */
export async function loadKeptRun({ store }: Platform, runId: string): Promise<KeptRun> {
  const found = await store.prisma.run.findUnique({
    where: { id: runId },
    include: {
      dataset: { include: { columns: { orderBy: { index: 'asc' } } } },
      model: { include: { architecture: true } },
    },
  })
  if (found === null) throw new AppError('NOT_FOUND', 'there is no run with this id')
  const { dataset, model, ...row } = found
  const graph = architectureGraph(model.architecture)
  const { task, classes } = model
  const { ignoreIndex } = runMetricOptions(row)
  const fit = fitDataset({ graph, task, classes, ignoreIndex }, datasetFacts(dataset, dataset.columns))
  return {
    ...{ id: runId, row, task, fit, dataset },
    width: logitsWidth(graph, task),
    codes: fit.labels.perSample,
  }
}

/** @throws AppError CONFLICT where nothing was kept of the run's samples. */
export function mustKeepSamples({ row }: KeptRun): void {
  if (!row.keepsSamples)
    throw new AppError(
      'CONFLICT',
      'what the model said about each sample of this run was not kept; start it again with keepSamples: true',
    )
}

/** Names of the classes that codes of one sample mean. */
export function labelsOf({ task, fit, codes }: KeptRun, values: ArrayLike<number>, at: number): string[] {
  const own = Array.from({ length: codes }, (_, k) => values[at * codes + k]!)
  return classIndexes(task, own).map((index) => fit.classes[index] ?? String(index))
}
