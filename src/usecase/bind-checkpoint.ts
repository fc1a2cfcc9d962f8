import {
  findStateDicts,
  opaqueTensors,
  type Checkpoint,
  type TensorEntry,
  type ValueTree,
} from '../checkpoint/index.ts'
import { AppError } from '../error.ts'
import {
  bindStateDict,
  type Binding,
  type BindingReport,
  type NestedStateDict,
  type StateDictView,
} from '../evaluation/index.ts'
import type { ArchitectureRow, CheckpointRow, ModelRow } from '../store/index.ts'
import { architectureGraph, className } from './architecture-graph.ts'
import { keyMappingOf, type KeyMappingInput } from './key-mapping-json.ts'
import { loadStateDict } from './load-state-dict.ts'
import type { Platform } from './platform.ts'
import { moduleVersions } from './module-versions.ts'
import { storedDType } from './stored-dtype.ts'

/** What to bind, and how. */
export interface BindCheckpointInput {
  readonly checkpointId: string
  /** As the argument of load_state_dict; true by default. */
  readonly strict?: boolean | null | undefined
  readonly keyMapping?: KeyMappingInput | null | undefined
}

/** A checkpoint with the architecture that it binds to. */
export type StoredCheckpoint = CheckpointRow & { readonly model: ModelRow & { readonly architecture: ArchitectureRow } }

/**
 * How a checkpoint fits its model's architecture, without starting anything.
 * @throws AppError NOT_FOUND, BINDING_FAILED when the key mapping makes two keys one.
 */
export async function bindCheckpoint(platform: Platform, input: BindCheckpointInput): Promise<BindingReport> {
  const checkpoint = await findCheckpoint(platform, input.checkpointId)
  return await bindStored(platform, checkpoint, {
    strict: input.strict ?? true,
    keyMapping: keyMappingOf(input.keyMapping),
  })
}

/** @throws AppError NOT_FOUND. */
export async function findCheckpoint({ store }: Platform, id: string): Promise<StoredCheckpoint> {
  const checkpoint = await store.prisma.checkpoint.findUnique({
    where: { id },
    include: { model: { include: { architecture: true } } },
  })
  if (checkpoint === null) throw new AppError('NOT_FOUND', 'there is no checkpoint with this id')
  return checkpoint
}

/**
 * As `bindCheckpoint`, of a checkpoint that was found.
 * @throws AppError NOT_FOUND when it is deleted meanwhile: what is read of it by several statements does not fit together then.
 */
export async function bindStored(
  platform: Platform,
  checkpoint: StoredCheckpoint,
  how: Pick<Binding, 'strict' | 'keyMapping'>,
): Promise<BindingReport> {
  const bound = await readAndBind(platform, checkpoint, how).catch((error: unknown) => ({ error }))
  if ('ok' in bound && bound.ok) return bound
  const { id } = checkpoint
  if ((await platform.store.prisma.checkpoint.count({ where: { id } })) === 0)
    throw new AppError('NOT_FOUND', `checkpoint ${checkpoint.name} was deleted just now`)
  if ('error' in bound) throw bound.error
  return bound
}

async function readAndBind(
  platform: Platform,
  checkpoint: StoredCheckpoint,
  how: Pick<Binding, 'strict' | 'keyMapping'>,
): Promise<BindingReport> {
  const entries = await loadStateDict(platform.store.prisma, checkpoint.id)
  const stateDict = { entries, ...treeFacts(treeOf(checkpoint.tree), checkpoint.stateDictPath) }
  const report = bindEntries(checkpoint.model, stateDict, how)
  // Other state_dicts of the file are only looked at when this one does not fit.
  return report.ok ? report : bindEntries(checkpoint.model, stateDict, how, await otherStateDicts(platform, checkpoint))
}

/** Binds a state_dict to a model. Without `nested` it proposes no other state_dict of the file. */
export function bindEntries(
  model: StoredCheckpoint['model'],
  { entries, versions, opaque }: StateDictView,
  { strict, keyMapping }: Pick<Binding, 'strict' | 'keyMapping'>,
  nested: readonly NestedStateDict[] = [],
): BindingReport {
  return bindStateDict({
    className: className(model.architecture, model.name),
    parameters: architectureGraph(model.architecture).parameters,
    entries,
    versions,
    opaque,
    strict,
    keyMapping,
    nested,
  })
}

/** What the value tree says about a state_dict beyond its tensors. */
const treeFacts = (tree: ValueTree, path: readonly string[]): Pick<StateDictView, 'versions' | 'opaque'> => ({
  versions: moduleVersions(tree, path),
  opaque: opaqueTensors(tree, path),
})

/** We wrote it as a ValueTree. */
const treeOf = (tree: CheckpointRow['tree']): ValueTree => tree as unknown as ValueTree

async function otherStateDicts({ store }: Platform, checkpoint: StoredCheckpoint): Promise<NestedStateDict[]> {
  const { id, stateDictPath } = checkpoint
  const tree = treeOf(checkpoint.tree)
  const rows = await store.prisma.tensor.findMany({ where: { checkpointId: id }, orderBy: { index: 'asc' } })
  const tensors = rows.map((row): TensorEntry => ({
    storage: row.storageIndex,
    dtype: storedDType(row.dtype),
    shape: row.shape.map(Number),
    stride: row.stride.map(Number),
    storageOffset: Number(row.storageOffset),
    requiresGrad: row.requiresGrad,
    isParameter: row.isParameter,
  }))
  const file: Pick<Checkpoint, 'tree' | 'tensors'> = { tree, tensors }
  return findStateDicts(file)
    .filter(({ path }) => path.join('\0') !== stateDictPath.join('\0'))
    .map(({ path, tensors: byKey }) => ({
      path,
      entries: new Map([...byKey].map(([key, tensor]) => [key, tensors[tensor]!])),
      ...treeFacts(tree, path),
    }))
}
