import type { Graph } from '../architecture/index.ts'
import { invariant } from '../error.ts'
import { fitDataset, requireBound, type BindingReport, type DatasetFit } from '../evaluation/index.ts'
import type { Task } from '../metric/index.ts'
import type { RunRow } from '../store/index.ts'
import type { DType, Shape } from '../tensor/index.ts'
import { architectureGraph } from './architecture-graph.ts'
import { bindEntries } from './bind-checkpoint.ts'
import { datasetFacts } from './dataset-facts.ts'
import { keyMappingOf, type KeyMappingInput } from './key-mapping-json.ts'
import { loadStateDict, type StoredTensor } from './load-state-dict.ts'
import type { Platform } from './platform.ts'
import { storedDType } from './stored-dtype.ts'

/** All that a worker has to know to evaluate a run; bytes are named by their SHA-256. */
export interface RunPlan {
  readonly checkpointName: string
  readonly graph: Graph
  /** SHA-256 of the graph. */
  readonly graphHash: string
  readonly task: Task
  /** Parameter of the graph → the tensor that holds its values. */
  readonly parameters: ReadonlyMap<string, StoredTensor>
  /** Parameters that several keys hold: their tensors have to be equal. */
  readonly tied: readonly { readonly keys: readonly string[]; readonly tensors: readonly StoredTensor[] }[]
  readonly report: BindingReport
  readonly fit: DatasetFit
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
  const { prisma } = platform.store
  const checkpoint = await prisma.checkpoint.findUniqueOrThrow({
    where: { id: run.checkpointId },
    // The tree of a training checkpoint may be large, and `startRun` has looked at what is in it.
    omit: { tree: true, globals: true },
    include: { model: { include: { architecture: true } } },
  })
  const { model } = checkpoint
  const entries = await loadStateDict(prisma, checkpoint.id)
  const report = requireBound(
    bindEntries(
      model,
      { entries },
      {
        strict: run.strict,
        keyMapping: keyMappingOf(run.keyMapping as KeyMappingInput | null),
      },
    ),
  )
  const dataset = await prisma.dataset.findUniqueOrThrow({
    where: { id: run.datasetId },
    include: { columns: { orderBy: { index: 'asc' } } },
  })
  const graph = architectureGraph(model.architecture)
  const fit = fitDataset({ graph, task: model.task, classes: model.classes }, datasetFacts(dataset, dataset.columns))
  const used = new Set([...fit.inputs.map(({ column }) => column), fit.labels.column])
  const tensorAt = (key: string): StoredTensor => {
    const tensor = entries.get(key)
    invariant(tensor !== undefined, `key ${key} is bound and not there`)
    return tensor
  }
  return {
    checkpointName: checkpoint.name,
    graph,
    graphHash: model.architecture.sha256,
    task: model.task,
    parameters: new Map(report.bound.map(({ parameter, key }) => [parameter, tensorAt(key)])),
    tied: report.tied.map(({ keys }) => ({ keys, tensors: keys.map(tensorAt) })),
    report,
    fit,
    columns: dataset.columns
      .filter(({ name }) => used.has(name))
      .map(({ name, dtype, shape, storageHash }) => ({ name, dtype: storedDType(dtype), shape, storageHash })),
    rows: Number(dataset.rows),
  }
}
