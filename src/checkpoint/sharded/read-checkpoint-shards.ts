import { quoted, type ByteSource } from '../../container/index.ts'
import { AppError } from '../../error.ts'
import { disposeSource } from '../dispose-source.ts'
import { DEFAULT_CHECKPOINT_LIMITS, type CheckpointLimits } from '../limits.ts'
import { opaqueKind } from '../opaque-tensors.ts'
import { readCheckpoint } from '../read-checkpoint.ts'
import type { Checkpoint, ValueNode, ValueTree } from '../value-tree.ts'
import { joinTrees } from './join-trees.ts'
import { readShardIndex, type ShardIndex } from './shard-index.ts'

/**
 * Opens a sharded checkpoint: the index and the files that it names, as one flat state_dict. Shards are matched by their
 * names, each exactly once; what each holds is what the index says, and nothing else.
 * The checkpoint takes over the sources. When this throws, they are still the caller's.
 * @throws AppError as `readCheckpoint`; CHECKPOINT_CORRUPT when index and shards disagree, BAD_INPUT when shards are missing, or
 * were given that are none.
 */
export async function readCheckpointShards(
  index: ByteSource,
  sources: readonly ByteSource[],
  limits: CheckpointLimits = DEFAULT_CHECKPOINT_LIMITS,
): Promise<Checkpoint> {
  const shardIndex = await readShardIndex(index, limits)
  const byName = matchSources(index.name, shardIndex, sources)
  const shards: Shard[] = []
  let [tensors, nodes] = [0, 0]
  for (const name of shardIndex.shards) {
    // Not disposed when a later one fails: the sources are the caller's until all are open.
    const checkpoint = await readCheckpoint(byName.get(name)!, limits)
    tensors += checkpoint.tensors.length
    nodes += checkpoint.tree.nodes.length
    const over = (what: string): AppError =>
      new AppError('LIMIT_EXCEEDED', `${index.name}: the shards have more than ${what}, which is the limit`)
    if (tensors > limits.tensor.maxTensors) throw over(`${limits.tensor.maxTensors} tensors`)
    if (nodes > limits.pickle.maxObjects) throw over(`${limits.pickle.maxObjects} values`)
    shards.push({ name, checkpoint, entries: entriesOf(name, checkpoint.tree) })
  }
  checkKeys(index.name, shardIndex, shards)
  return join(index, formatOf(index.name, shards), shards)
}

interface Shard {
  readonly name: string
  readonly checkpoint: Checkpoint
  readonly entries: ReadonlyMap<string, readonly [number, number]>
}

function matchSources(
  fileName: string,
  { shards }: ShardIndex,
  sources: readonly ByteSource[],
): ReadonlyMap<string, ByteSource> {
  const bad = (message: string): AppError => new AppError('BAD_INPUT', `${fileName}: ${message}`)
  const byName = new Map<string, ByteSource>()
  for (const source of sources) {
    if (byName.has(source.name)) throw bad(`the shard ${quoted(source.name)} was given twice`)
    byName.set(source.name, source)
  }
  const wanted = new Set(shards)
  const missing = shards.filter((name) => !byName.has(name))
  if (missing.length > 0)
    throw bad(
      `${missing.length} of its ${shards.length} shards are missing: ${list(missing)}. Give them with the index.`,
    )
  const extra = [...byName.keys()].filter((name) => !wanted.has(name))
  if (extra.length > 0) throw bad(`the index does not name the given ${list(extra)}`)
  return byName
}

/** The entries of a shard, which is one flat dict of tensors. */
function entriesOf(name: string, tree: ValueTree): ReadonlyMap<string, readonly [number, number]> {
  const root = tree.nodes[tree.root]!
  const wrong = (message: string): AppError =>
    new AppError(
      'CHECKPOINT_UNSUPPORTED',
      `the shard ${quoted(name)} ${message}; a shard is a dict of tensors by their keys`,
    )
  if (root.kind !== 'dict' && root.kind !== 'ordered_dict') throw wrong(`holds a ${root.kind}`)
  const entries = new Map<string, readonly [number, number]>()
  for (const entry of root.entries) {
    const [key, value] = [tree.nodes[entry[0]]!, tree.nodes[entry[1]]!]
    if (key.kind !== 'string') throw wrong(`has a ${key.kind} for a key`)
    if (value.kind !== 'tensor' && opaqueKind(tree, value) === undefined)
      throw wrong(`holds a ${value.kind} at ${quoted(key.value)}`)
    entries.set(key.value, entry)
  }
  return entries
}

function checkKeys(fileName: string, { weightMap }: ShardIndex, shards: readonly Shard[]): void {
  const corrupt = (message: string): AppError => new AppError('CHECKPOINT_CORRUPT', `${fileName}: ${message}`)
  const holders = new Map<string, string>()
  for (const { name, entries } of shards) {
    const unlisted: string[] = []
    for (const key of entries.keys()) {
      const other = holders.get(key)
      if (other !== undefined)
        throw corrupt(`the shards ${quoted(other)} and ${quoted(name)} both hold the key ${quoted(key)}`)
      holders.set(key, name)
      if (!weightMap.has(key)) unlisted.push(key)
    }
    if (unlisted.length > 0)
      throw corrupt(`the shard ${quoted(name)} holds keys that the index lacks: ${list(unlisted)}`)
  }
  for (const { name } of shards) {
    const missing = [...weightMap].filter(([key, shard]) => shard === name && holders.get(key) !== name)
    if (missing.length > 0)
      throw corrupt(
        `the shard ${quoted(name)} lacks keys that the index says it holds: ${list(missing.map(([key]) => key))}`,
      )
  }
}

function formatOf(fileName: string, shards: readonly Shard[]): 'torch-sharded' | 'safetensors-sharded' {
  const safe = shards.filter(({ checkpoint }) => checkpoint.format === 'safetensors')
  if (safe.length === shards.length) return 'safetensors-sharded'
  if (safe.length === 0) return 'torch-sharded'
  throw new AppError(
    'CHECKPOINT_UNSUPPORTED',
    `${fileName}: some of its shards are safetensors (${quoted(safe[0]!.name)}) and some are not; save them all in one format`,
  )
}

function join(
  index: ByteSource,
  format: 'torch-sharded' | 'safetensors-sharded',
  shards: readonly Shard[],
): Checkpoint {
  const checkpoints = shards.map(({ checkpoint }) => checkpoint)
  const firstTensors = runningSums(checkpoints.map(({ tensors }) => tensors.length))
  const firstStorages = runningSums(checkpoints.map(({ storages }) => storages.length))
  const owner = checkpoints.flatMap(({ storages }, shard) => storages.map((_, storage) => ({ shard, storage })))
  const globals = checkpoints.flatMap(({ globals: named }) => named)
  const parts = shards.map(({ checkpoint, entries }, i) => ({
    tree: checkpoint.tree,
    entries: [...entries.values()],
    firstTensor: firstTensors[i]!,
  }))
  return {
    format,
    tree: joinTrees(parts, sharedMetadata(checkpoints)),
    tensors: checkpoints.flatMap(({ tensors }, i) =>
      tensors.map((tensor) => ({ ...tensor, storage: tensor.storage + firstStorages[i]! })),
    ),
    // Storages of torch.save are numbered in each file anew; those of safetensors have the names of their tensors.
    storages: checkpoints.flatMap(({ storages }, i) =>
      format === 'safetensors-sharded'
        ? storages
        : storages.map((storage) => ({ ...storage, key: `${shards[i]!.name}/${storage.key}` })),
    ),
    globals: [...new Map(globals.map((global) => [`${global.module}.${global.name}`, global])).values()],
    get warnings() {
      return checkpoints.flatMap(({ warnings }) => warnings)
    },
    readStorage(at, offset, length, into) {
      const place = owner[at]
      if (!place) throw new RangeError(`there is no storage ${at}`)
      return checkpoints[place.shard]!.readStorage(place.storage, offset, length, into)
    },
    async [Symbol.asyncDispose]() {
      for (const checkpoint of checkpoints) await checkpoint[Symbol.asyncDispose]()
      await disposeSource(index)
    },
  }
}

/** `__metadata__` that every shard has: `{'format': 'pt'}`. */
function sharedMetadata(checkpoints: readonly Checkpoint[]): ReadonlyMap<string, string> {
  const [first, ...others] = checkpoints.map(({ tree }) => metadataOf(tree))
  return new Map([...(first ?? [])].filter(([key, value]) => others.every((other) => other.get(key) === value)))
}

function metadataOf({ nodes, root }: ValueTree): ReadonlyMap<string, string> {
  const text = (index: number): string => {
    const node = nodes[index]!
    return node.kind === 'string' ? node.value : ''
  }
  const dict = nodes[root]!
  const state = dict.kind === 'dict' && dict.state !== undefined ? nodes[dict.state] : undefined
  const pairs = state?.kind === 'dict' && text(state.entries[0]?.[0] ?? root) === '__metadata__' ? state : undefined
  const inner: ValueNode | undefined = pairs && nodes[pairs.entries[0]![1]]
  return inner?.kind === 'dict' ? new Map(inner.entries.map(([key, value]) => [text(key), text(value)])) : new Map()
}

function runningSums(counts: readonly number[]): number[] {
  let sum = 0
  return counts.map((count) => {
    const before = sum
    sum += count
    return before
  })
}

const SHOWN = 5
const list = (names: readonly string[]): string =>
  names
    .slice(0, SHOWN)
    .map((name) => quoted(name))
    .join(', ') + (names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '')
