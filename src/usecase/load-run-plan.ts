import { fitDataset, fitSlices, type DatasetFit, type SliceFit } from '../evaluation/index.ts'
import type { MetricOptions } from '../metric/index.ts'
import type { RunRow } from '../store/index.ts'
import type { DType, Shape } from '../tensor/index.ts'
import { datasetFacts } from './dataset-facts.ts'
import type { KeyMappingInput } from './key-mapping-json.ts'
import { loadModelPlan, type ModelPlan } from './load-model-plan.ts'
import { runMetricOptions } from './metric-options.ts'
import type { Platform } from './platform.ts'
import { storedDType } from './stored-dtype.ts'

/** All that a worker has to know to evaluate a run; bytes are named by their SHA-256. */
export interface RunPlan extends ModelPlan {
  readonly fit: DatasetFit
  readonly slices: readonly SliceFit[]
  readonly options: MetricOptions
  /** The columns that the fit names. */
  readonly columns: readonly PlannedColumn[]
  readonly rows: number
}

/** A column of the dataset and where its bytes are. */
export interface PlannedColumn {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly storageHash: string
}

/**
 * Works out again what `startRun` has checked: the rows it saw never change.
 * @throws AppError as `startRun`, should a newer version of the platform be stricter than the one that started the run.
 */
export async function loadRunPlan(platform: Platform, run: RunRow): Promise<RunPlan> {
  const { checkpointId, strict } = run
  const [plan, dataset] = await Promise.all([
    loadModelPlan(platform, { checkpointId, strict, keyMapping: run.keyMapping as KeyMappingInput | null }),
    platform.store.prisma.dataset.findUniqueOrThrow({
      where: { id: run.datasetId },
      include: { columns: { orderBy: { index: 'asc' } } },
    }),
  ])
  const options = runMetricOptions(run)
  const facts = datasetFacts(dataset, dataset.columns)
  const fit = fitDataset({ ...plan, ignoreIndex: options.ignoreIndex }, facts)
  const slices = fitSlices(run.sliceKeys, facts)
  const used = new Set([...fit.inputs, fit.labels, ...slices].map(({ column }) => column).concat(fit.weights ?? []))
  return {
    ...plan,
    fit,
    slices,
    options,
    columns: dataset.columns
      .filter(({ name }) => used.has(name))
      .map(({ name, dtype, shape, storageHash }) => ({ name, dtype: storedDType(dtype), shape, storageHash })),
    rows: Number(dataset.rows),
  }
}
