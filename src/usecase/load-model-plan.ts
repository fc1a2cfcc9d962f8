import { createHash } from 'node:crypto'
import type { Graph } from '../architecture/index.ts'
import { AppError, invariant } from '../error.ts'
import { requireBound, type BindingReport, type Question } from '../evaluation/index.ts'
import { architectureGraph } from './architecture-graph.ts'
import { bindEntries } from './bind-checkpoint.ts'
import { keyMappingOf, type KeyMappingInput } from './key-mapping-json.ts'
import { loadStateDict, type StoredTensor } from './load-state-dict.ts'
import type { Platform } from './platform.ts'

/** A checkpoint bound to its model's architecture: all that a session is made from. Bytes are named by their SHA-256. */
export interface ModelPlan extends Question {
  readonly checkpointName: string
  readonly graph: Graph
  /** What makes two models the same: a hash of graph and weights. Which checkpoint brought the weights does not matter. */
  readonly key: string
  /** Parameter of the graph → the tensor that holds its values. */
  readonly parameters: ReadonlyMap<string, StoredTensor>
  /** Parameters that several keys hold: their tensors have to be equal. */
  readonly tied: readonly { readonly keys: readonly string[]; readonly tensors: readonly StoredTensor[] }[]
  readonly report: BindingReport
}

/** Which checkpoint, and how it is bound; as a run's row keeps it. */
export interface ModelChoice {
  readonly checkpointId: string
  readonly strict: boolean
  readonly keyMapping: KeyMappingInput | null
}

/**
 * Binds a checkpoint that was found to bind: its rows never change.
 * @throws AppError NOT_FOUND, BINDING_FAILED.
 */
export async function loadModelPlan(platform: Platform, choice: ModelChoice): Promise<ModelPlan> {
  const { prisma } = platform.store
  const [checkpoint, entries] = await Promise.all([
    prisma.checkpoint.findUnique({
      where: { id: choice.checkpointId },
      // The tree of a training checkpoint may be large, and whoever checked the binding has looked at what is in it.
      omit: { tree: true, globals: true },
      include: { model: { include: { architecture: true } } },
    }),
    loadStateDict(prisma, choice.checkpointId),
  ])
  if (checkpoint === null) throw new AppError('NOT_FOUND', 'there is no checkpoint with this id')
  const { model } = checkpoint
  const how = { strict: choice.strict, keyMapping: keyMappingOf(choice.keyMapping) }
  const report = requireBound(bindEntries(model, { entries }, how))
  const tensorAt = (key: string): StoredTensor => {
    const tensor = entries.get(key)
    invariant(tensor !== undefined, `key ${key} is bound and not there`)
    return tensor
  }
  const parameters = new Map(report.bound.map(({ parameter, key }) => [parameter, tensorAt(key)]))
  return {
    checkpointName: checkpoint.name,
    graph: architectureGraph(model.architecture),
    key: modelKey(model.architecture.sha256, parameters),
    task: model.task,
    classes: model.classes,
    parameters,
    tied: report.tied.map(({ keys }) => ({ keys, tensors: keys.map(tensorAt) })),
    report,
  }
}

function modelKey(graphHash: string, parameters: ModelPlan['parameters']): string {
  const weights = [...parameters].map(([parameter, { storageHash, dtype, shape, stride, storageOffset }]) => [
    parameter,
    storageHash,
    dtype,
    shape,
    stride,
    storageOffset,
  ])
  return createHash('sha256')
    .update(JSON.stringify([graphHash, weights]))
    .digest('hex')
}
