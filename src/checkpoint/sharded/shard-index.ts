import { countMembers, quoted, scanJson, type ByteSource } from '../../container/index.ts'
import { AppError } from '../../error.ts'
import type { CheckpointLimits } from '../limits.ts'

/** The index of a sharded checkpoint, as Hugging Face's tools write it: `model.safetensors.index.json`. */
export interface ShardIndex {
  /** state_dict key → the name of the file that holds it, in the order of the index. */
  readonly weightMap: ReadonlyMap<string, string>
  /** The files, in the order in which the index first names them. */
  readonly shards: readonly string[]
}

/**
 * Reads an index. The names of its shards are plain file names: they are only ever compared with those of the files that were
 * supplied, and a path in one is refused.
 * @throws AppError CHECKPOINT_CORRUPT, LIMIT_EXCEEDED.
 */
export async function readShardIndex(source: ByteSource, limits: CheckpointLimits): Promise<ShardIndex> {
  const corrupt = (message: string, cause?: unknown): AppError =>
    new AppError('CHECKPOINT_CORRUPT', `${source.name}: ${message}`, { cause })
  const { maxIndexBytes, maxShards } = limits.sharded
  if (source.size > maxIndexBytes)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${source.name}: the index has ${source.size} bytes, the limit is ${maxIndexBytes}`,
    )
  const bytes = await source.read(0, source.size)
  const { members, values } = scanJson(bytes)
  if (Math.max(members, values) > limits.tensor.maxTensors * 2)
    throw new AppError('LIMIT_EXCEEDED', `${source.name}: more than ${limits.tensor.maxTensors} tensors`)
  const index = parse(bytes, corrupt)
  if (!isRecord(index) || !isRecord(index['weight_map'])) throw corrupt('the index has no weight_map')
  if (countMembers(index) !== members) throw corrupt('a key is repeated in the index')
  const weightMap = new Map<string, string>()
  for (const [key, shard] of Object.entries(index['weight_map'])) {
    if (typeof shard !== 'string' || !isPlainName(shard))
      throw corrupt(
        `weight_map has ${typeof shard === 'string' ? quoted(shard) : 'no name'} for ${quoted(key)}; a shard is named by a ` +
          'plain file name, without folders',
      )
    weightMap.set(key, shard)
  }
  const shards = [...new Set(weightMap.values())]
  if (shards.length === 0) throw corrupt('weight_map is empty')
  if (shards.length > maxShards)
    throw new AppError('LIMIT_EXCEEDED', `${source.name}: ${shards.length} shards, the limit is ${maxShards}`)
  return { weightMap, shards }
}

/** Whether a name names a file in the folder of the index and nothing else, on every system. */
export const isPlainName = (name: string): boolean =>
  name.length > 0 && name.length <= 255 && name !== '.' && name !== '..' && !/[/\\:\p{Cc}]/u.test(name)

function parse(bytes: Uint8Array, corrupt: (message: string, cause?: unknown) => AppError): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw corrupt('the index is no JSON text', cause)
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
