import { dirname, basename, join } from 'node:path'
import { DEFAULT_CHECKPOINT_LIMITS, readShardIndex, shardedSha256 } from '../checkpoint/index.ts'
import { fileSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { CliFailure } from './failure.ts'
import { hashFile } from './names.ts'

/** A file of a checkpoint on this machine. */
export interface CheckpointFile {
  readonly path: string
  readonly sha256: string
}

/** The files of a checkpoint, and the SHA-256 by which the platform knows it. */
export interface CheckpointFiles {
  /** The file that was named first; then the shards that it names, if it is an index. */
  readonly files: readonly CheckpointFile[]
  readonly sha256: string
}

/** Whether a file is the index of a sharded checkpoint, by the name that Hugging Face's tools give it. */
export const isShardIndex = (path: string): boolean => path.endsWith('.index.json')

/**
 * The files of a checkpoint: one, or an index with the shards next to it.
 * @throws CliFailure when the index cannot be read.
 */
export async function checkpointFiles(path: string, signal: AbortSignal): Promise<CheckpointFiles> {
  const first = { path, sha256: await hashFile(path, signal) }
  if (!isShardIndex(path)) return { files: [first], sha256: first.sha256 }
  const shards: CheckpointFile[] = []
  for (const shard of await shardPaths(path)) shards.push({ path: shard, sha256: await hashFile(shard, signal) })
  const named = ({ path: file, sha256 }: CheckpointFile) => ({ name: basename(file), sha256 })
  return { files: [first, ...shards], sha256: shardedSha256(named(first), shards.map(named)) }
}

/** The paths of the shards that an index names: they lie next to it, and their names are plain. */
export async function shardPaths(path: string): Promise<readonly string[]> {
  await using source = await fileSource(path)
  try {
    const { shards } = await readShardIndex(source, DEFAULT_CHECKPOINT_LIMITS)
    return shards.map((name) => join(dirname(path), name))
  } catch (error) {
    if (error instanceof AppError) throw new CliFailure(error.code, error.message)
    throw error
  }
}

/** @throws CliFailure of wrong usage when a shard is not there. */
export async function checkShards(path: string, check: (option: string, path: string) => Promise<void>): Promise<void> {
  if (!isShardIndex(path)) return
  for (const shard of await shardPaths(path)) await check('--checkpoint', shard)
}
